"""Jobs: Pods that run to an end, counted by their finalizer, and what becomes of finished Jobs."""
