"""API servers behind ours: groups that APIServices say are served elsewhere."""
