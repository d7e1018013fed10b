"""The Pod Security Standards: what Kubernetes' Pod Security admission allows, by level and version."""
