"""How a runtime spec becomes a process: what the OCI runtime asks of the kernel, and what the kernel makes of it."""
