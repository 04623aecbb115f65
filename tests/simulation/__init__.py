"""The fault machine: the broker on a simulated AWS where everything that can fail does."""
