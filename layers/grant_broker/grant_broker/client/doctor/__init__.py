"""What `grant-broker doctor` looks at from outside: a stack's health, and whether AWS is as it was read."""
