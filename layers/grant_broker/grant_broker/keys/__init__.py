"""The managed keys: their register, their checks, and who can use them."""
