"""The security team's half of the API: a module for each part of `/security`."""
