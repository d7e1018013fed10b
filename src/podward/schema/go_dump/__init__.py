"""How Go prints a Pod's template, which is what Kubernetes hashes of it."""
