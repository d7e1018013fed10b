"""Passing requests on: to nodes, Pods and what is behind Services, and to other API servers."""
