"""What a runtime refuses of the message of RunPodSandbox before it begins.

Specification (containerd 2 `RunPodSandbox`, `parseUsernsIDs`; crun and runc; in our words): a sandbox has metadata with
a name. A user namespace has mode NODE without mappings, or POD with exactly one line each for uids and gids; id 0 must
be mapped, as the containers' files need an owner. Ours: one mapping for both kinds of ids, from 0 on, as kubelets ask
for it; the parent cgroup is a path that goes nowhere else; a sandbox's processes are its own, the container's or the
machine's.
"""

from __future__ import annotations

from podward.api.cri import IDMapping, NamespaceOption, PodSandboxConfig, UserNamespace
from podward.policy.runtime.namespaces import of_sandbox

_LAST_ID = 1 << 32
_MODES = {
    "network": ("POD", "NODE"),
    "ipc": ("POD", "NODE"),
    "pid": ("POD", "CONTAINER", "NODE"),
}


def fault(config: PodSandboxConfig) -> str:
    """Why there can be no such sandbox; empty where there can be."""
    modes = of_sandbox(config)
    return _metadata(config) or _namespaces(modes) or _userns(modes.userns_options) or _cgroup(config) or _ports(config)


def mapping(config: PodSandboxConfig) -> IDMapping | None:
    """The ids of the sandbox's own user namespace, in a message without a fault."""
    userns = of_sandbox(config).userns_options
    return userns.uids[0] if userns is not None and userns.mode == "POD" else None


def _metadata(config: PodSandboxConfig) -> str:
    if not config.metadata.name:
        return "sandbox config must include metadata with a name"
    return ""


def _namespaces(modes: NamespaceOption) -> str:
    for kind, allowed in _MODES.items():
        asked = getattr(modes, kind)
        if asked not in allowed:
            return f"unsupported {kind} namespace mode of a sandbox: {asked}, it is one of {', '.join(allowed)}"
    return ""


def _userns(userns: UserNamespace | None) -> str:
    if userns is None:
        return ""
    if userns.mode == "NODE":
        return "user namespace mode NODE has no mappings" if userns.uids or userns.gids else ""
    if userns.mode != "POD":
        return f"unsupported user namespace mode: {userns.mode}, it is one of NODE, POD"
    wrong = next(filter(None, map(_mapping_fault, (userns.uids, userns.gids))), "")
    if wrong:
        return wrong
    return "" if userns.uids == userns.gids else "UID and GID mappings of a user namespace must be the same"


def _mapping_fault(lines: tuple[IDMapping, ...]) -> str:
    if len(lines) != 1:
        return f"user namespace: exactly one mapping line is supported, got {len(lines)}"
    if lines[0].container_id != 0:
        return f"user namespace: container id 0 must be mapped, the first is {lines[0].container_id}"
    if not 1 <= lines[0].length <= _LAST_ID - lines[0].host_id:
        return f"user namespace: invalid mapping length {lines[0].length}"
    return ""


def _cgroup(config: PodSandboxConfig) -> str:
    parent = config.linux.cgroup_parent
    if "\0" in parent or any(step in (".", "..") for step in parent.split("/")):
        return f"the parent cgroup is no plain path: {parent!r}"
    return ""


def _ports(config: PodSandboxConfig) -> str:
    for port in config.port_mappings:
        if not (0 <= port.host_port <= 65535 and 0 <= port.container_port <= 65535):
            return f"no such port: {port.container_port} at {port.host_port}"
    return ""
