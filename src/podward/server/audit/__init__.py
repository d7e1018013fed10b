"""Writing the audit log: what is noted of a request on its way, and the file."""
