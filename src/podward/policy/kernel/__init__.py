"""Rules that predict a process from its runtime spec: what the OCI runtime sets, and what the kernel does at execve."""
