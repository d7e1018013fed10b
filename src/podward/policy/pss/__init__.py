"""The Pod Security Standards: which Pods Pod Security admission allows, by level and version."""
