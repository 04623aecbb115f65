"""Adapters to AWS: they know the domain, the domain does not know them."""
