"""SecurityContextConstraints as OpenShift's API server reads, completes and refuses them."""
