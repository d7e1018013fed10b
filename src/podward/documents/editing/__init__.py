"""Editing a manifest in place: some fields change, the rest of the text stays as it is."""
