"""The embedded local AWS."""
