"""Subresources that are more than a part of their object: one a file."""
