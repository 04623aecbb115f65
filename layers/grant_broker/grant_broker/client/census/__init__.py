"""A census of an account's KMS keys and grants: read as a stream, judged one by one, kept nowhere."""
