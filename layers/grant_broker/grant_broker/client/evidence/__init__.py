"""Evidence for auditors: who had what, by whose word, and when it ended, as the audit trail has it."""
