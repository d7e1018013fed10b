"""Controllers that run in the server: each acts under its own service account, like any other client."""
