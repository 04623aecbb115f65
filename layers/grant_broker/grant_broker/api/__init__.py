"""The HTTP edge: who calls and what they send, and what they are answered."""
