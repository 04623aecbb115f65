"""Time-boxed AWS KMS grants for third parties: on request, after approval, taken back on time."""
