"""`podward serve`: the parts of a cluster as processes, started, watched over and ended together."""
