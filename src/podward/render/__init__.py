"""Decisions rendered: as patches, tables and JSON. Nothing here decides."""
