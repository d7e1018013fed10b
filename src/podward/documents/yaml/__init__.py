"""YAML as Kubernetes reads it: a fast reader for what tools write, an exact one for everything else."""
