"""Definitions of custom resources, and the schemas in them."""
