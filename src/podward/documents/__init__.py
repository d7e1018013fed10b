"""Manifests in YAML and JSON: reading them with the line of every field, patching them, and editing them in place."""
