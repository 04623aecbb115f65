"""What the security team does: vote, revoke, approve ahead. Alone writes the approval table."""
