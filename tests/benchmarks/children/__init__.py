"""Scripts that a benchmark runs in fresh processes, with the layer alone on the path."""
