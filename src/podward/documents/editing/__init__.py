"""Changing some fields of a manifest's text, and nothing else of it."""
