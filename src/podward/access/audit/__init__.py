"""The audit log: of which requests it tells how much, what an event of it is, and what it never has."""
