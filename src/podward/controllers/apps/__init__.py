"""Controllers of workloads: each wishes for Pods, by itself or through what it makes."""
