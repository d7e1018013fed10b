"""The store of local images: an OCI layout, with each image unpacked once."""
