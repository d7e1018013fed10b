"""The local images: stored as an OCI layout, unpacked once, read in a moment."""
