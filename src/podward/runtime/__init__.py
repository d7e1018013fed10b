"""Edges to this machine: images, namespaces, mounts, the OCI runtime, /proc. Facts are gathered and acts done here."""
