"""JSON as Kubernetes reads it: a fast reader without lines, and an exact one that knows the line of every field."""
