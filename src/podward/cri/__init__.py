"""The Container Runtime Interface over gRPC, and plugins of the Node Resource Interface: in front of `runtime`."""
