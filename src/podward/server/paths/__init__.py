"""Paths that are none of a resource's: discovery, health, version, metrics."""
