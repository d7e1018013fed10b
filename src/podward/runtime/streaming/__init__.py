"""Reaching into containers: exec, attach and port-forward over SPDY and WebSocket, for whoever serves them."""
