"""The words: typed objects that every other room speaks in, and nothing else."""
