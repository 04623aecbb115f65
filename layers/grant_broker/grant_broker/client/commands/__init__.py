"""The commands of `grant-broker`, each a module whose `command` returns the exit code."""
