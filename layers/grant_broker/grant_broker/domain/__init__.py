"""The rules, as pure values: no AWS call, no clock, no environment."""
