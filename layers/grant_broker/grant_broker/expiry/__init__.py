"""End grants in their own second, whatever fails. Alone holds `kms:RetireGrant` and `kms:RevokeGrant`."""
