"""The versions that are imitated: the one place that says which."""

from __future__ import annotations

KUBERNETES = "1.36"
"""The API server's and the kubelet's."""
