"""The rules, one per file, each with its specification and its source at the top."""
