"""What an API server does with `--openshift`: imported only there."""
