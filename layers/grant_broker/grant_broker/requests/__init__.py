"""What third parties do: submit, withdraw and take up requests. Alone holds `kms:CreateGrant`."""
