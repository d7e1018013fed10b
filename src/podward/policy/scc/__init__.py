"""OpenShift SecurityContextConstraints: which one admits a Pod, and what it sets."""
