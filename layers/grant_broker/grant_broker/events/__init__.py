"""The audit trail as a whole, and telling others what happened."""
