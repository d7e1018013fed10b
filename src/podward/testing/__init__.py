"""A cluster for tests of Python projects: `with Cluster() as …`, or the fixtures of `podward.testing.fixtures`."""

from __future__ import annotations

from podward.testing.cluster import Cluster, ClusterError, ready

__all__ = ["Cluster", "ClusterError", "ready"]
