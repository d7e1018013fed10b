"""The HTTPS server of a node: logs, commands and ports of its Pods, and its figures, as a kubelet serves them."""
