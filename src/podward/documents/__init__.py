"""Files as people write them: YAML and JSON with the line of every field, and editing them in place."""
