"""The controller of PodDisruptionBudgets: how many Pods may be evicted now."""
