"""YAML as Kubernetes reads it: a fast reader for the YAML that tools write, and an exact one for everything else."""
