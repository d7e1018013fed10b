"""OpenShift SecurityContextConstraints: which one admits a Pod, and what it sets (OpenShift of July 2026)."""
