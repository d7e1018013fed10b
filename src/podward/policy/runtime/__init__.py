"""Rules of the container runtimes containerd (the default), CRI-O and Docker: how a CRI message becomes a runtime spec.

Each file starts with its specification, which says how the three runtimes differ. Their default values are in
`defaults`, one versioned table for each runtime.
"""
