"""The runtimes' defaults: one versioned table for each runtime. `load` imports only the table that is needed."""

from __future__ import annotations

from podward.errors import UsageError
from podward.policy.runtime.defaults.table import Defaults

NAMES = ("containerd", "cri-o", "docker")


def load(name: str) -> Defaults:
    """The table of this runtime. Raises UsageError for an unknown name; `crio` is accepted for `cri-o`."""
    if name == "containerd":
        from podward.policy.runtime.defaults import containerd

        return containerd.DEFAULTS
    if name in ("cri-o", "crio"):
        from podward.policy.runtime.defaults import crio

        return crio.DEFAULTS
    if name == "docker":
        from podward.policy.runtime.defaults import docker

        return docker.DEFAULTS
    raise UsageError(f"there are no runtime defaults named {name}", advice=f"choose one of {', '.join(NAMES)}")
