"""JSON as Kubernetes reads it: a fast reader for valid text, and an exact one that finds lines and errors."""
