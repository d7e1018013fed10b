"""Garbage collection: what is owned goes when its owners are gone, and owners wait, orphan or let go."""
