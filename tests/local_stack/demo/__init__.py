"""The founding scenario, told line by line."""
