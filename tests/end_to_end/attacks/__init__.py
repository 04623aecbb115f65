"""What an attacker tries against the running stack, by who or what is taken over."""
