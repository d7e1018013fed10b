"""Which Pods may have a user namespace of their own.

Specification: Kubernetes, validateHostUsers and validateWindows: `hostUsers: false` does not go with hostNetwork,
hostPID, hostIPC and Windows; block devices, which it does not go with either, are not looked at here.
"""

from __future__ import annotations

from podward.api.core import PodSpec


def may_have_own(spec: PodSpec) -> bool:
    """Whether a Pod that shares the host's users could have `hostUsers: false` instead."""
    windows = spec.os is not None and spec.os.name == "windows"
    return spec.host_users is not False and not (spec.host_network or spec.host_pid or spec.host_ipc or windows)
