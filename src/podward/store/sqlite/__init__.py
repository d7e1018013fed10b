"""The store in one file of this machine, by SQLite."""
