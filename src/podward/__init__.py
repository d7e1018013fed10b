"""Podward: the whole security path of a Kubernetes Pod on one machine."""

__version__ = "0.1.0"
