"""Rules of the kubelet: what it computes for a Pod's containers, and what it refuses."""
