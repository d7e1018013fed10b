"""What the kubelet decides about a container's identity (Kubernetes 1.36)."""
