"""The API's rules about values: which fields there are, their defaults, their validation, and the server's warnings."""
