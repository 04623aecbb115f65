"""Compare KMS with both tables and record what must end. Holds no right to change anything at KMS."""
