"""The roles and bindings that an API server makes at its first start, and keeps complete afterwards."""
