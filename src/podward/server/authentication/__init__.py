"""Who calls a server: what its flags and files say, and the authenticators that must ask somebody else."""
