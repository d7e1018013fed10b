"""What the kubelet decides about a container's identity."""
