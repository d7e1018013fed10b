"""The container's namespaces, its id maps and its host name.

Specification, in our words. Each container has a mount namespace of its own, and a new PID namespace if the mode is
CONTAINER; network, IPC, UTS, the PID namespace of a Pod that shares it, and the user namespace are the Pod's, joined
by path. What is the host's is left out: containerd writes the path of the sandbox's namespace, which then is the
host's too. A cgroup namespace is added where cgroup v2 is in use and the container is not privileged (containerd 2.2
`buildLinuxSpec`, CRI-O 1.33 `setupCgroupNamespace`; Docker's default is the same). With the host's network containerd
and Docker also use the host's UTS namespace; CRI-O has no such Pod. The id maps are written beside the path of the
user namespace, as containerd does. The spec's host name is set where the container gets a new UTS namespace, and
always by CRI-O and Docker. Pod and container must agree on the user namespace.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.cri import LinuxContainerSecurityContext, NamespaceOption, PodSandboxConfig, UserNamespace
from podward.api.oci import LinuxIDMapping, Namespace
from podward.decision import Assignment, Decision, Source, assign, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("linux", "namespaces")


class NamespacePaths(Struct, frozen=True, gc=False):
    """Where the Pod's namespaces are pinned; "" where the Pod has none and the container makes its own."""

    ipc: str = ""
    net: str = ""
    uts: str = ""
    pid: str = ""
    user: str = ""


class Placement(Struct, frozen=True, gc=False):
    """Where the container goes: the Pod's pinned namespaces, its host name, whether cgroup v2 is in use."""

    pinned: NamespacePaths = NamespacePaths()
    hostname: str = ""
    cgroup_v2: bool = True


_Row = tuple[str, str, str, str]


def options(context: LinuxContainerSecurityContext) -> NamespaceOption:
    """The container's namespace options; all of the Pod's own if the message has none."""
    return context.namespace_options or NamespaceOption()


def own_userns(context: LinuxContainerSecurityContext) -> UserNamespace | None:
    """The Pod's own user namespace, None where it shares the host's."""
    chosen = options(context).userns_options
    return chosen if chosen is not None and chosen.mode == "POD" else None


def decide(
    context: LinuxContainerSecurityContext, sandbox: PodSandboxConfig, placement: Placement, runtime: RuntimeProfile
) -> Decision:
    """`linux.namespaces`, `uidMappings`, `gidMappings` and `hostname`."""
    rows = [
        row
        for kind in runtime.defaults.namespaces
        if (row := _row(kind, options(context), placement.pinned, runtime)) is not None
    ]
    if placement.cgroup_v2 and not context.privileged:
        rows.append(("cgroup", "", "cgroup v2: a namespace of its own", ""))
    userns = own_userns(context)
    if userns is not None:
        rows.append(("user", placement.pinned.user, "hostUsers is false", "usernsOptions"))
    listed = Decision(
        tuple(
            Assignment(PLACE / i, Namespace(kind, joined), reason, _source(field, runtime))
            for i, (kind, joined, reason, field) in enumerate(rows)
        )
    )
    return (
        listed
        + _maps(userns, runtime)
        + _hostname(rows, placement.hostname, runtime)
        + _agreement(context, sandbox, runtime)
    )


def _source(field: str, runtime: RuntimeProfile) -> Source:
    return runtime.of("securityContext", "namespaceOptions", field) if field else runtime.source


def _row(kind: str, chosen: NamespaceOption, pinned: NamespacePaths, runtime: RuntimeProfile) -> _Row | None:
    """One kind: its path, why, and the option that decides it; None where it is the host's."""
    if kind == "mount":
        return kind, "", "always its own", ""
    if kind == "pid":
        return _pid(chosen, pinned)
    if kind == "uts":
        shared = chosen.network == "NODE" and runtime.name != "cri-o"
        joined = "" if runtime.name == "docker" else pinned.uts
        return None if shared else (kind, joined, _how(joined), "network")
    mode, joined = (chosen.network, pinned.net) if kind == "network" else (chosen.ipc, pinned.ipc)
    return None if mode == "NODE" else (kind, joined, _how(joined), kind)


def _pid(chosen: NamespaceOption, pinned: NamespacePaths) -> _Row | None:
    if chosen.pid == "NODE":
        return None
    joined = "" if chosen.pid == "CONTAINER" else pinned.pid
    return "pid", joined, _how(joined), "pid"


def _how(joined: str) -> str:
    return "the Pod's" if joined else "its own"


def _maps(userns: UserNamespace | None, runtime: RuntimeProfile) -> Decision:
    if userns is None:
        return Decision()
    source = _source("usernsOptions", runtime)
    reason = "the range that the node keeps for the Pod"
    return Decision(
        tuple(
            Assignment(
                path("linux", name, i), LinuxIDMapping(line.container_id, line.host_id, line.length), reason, source
            )
            for name, lines in (("uidMappings", userns.uids), ("gidMappings", userns.gids))
            for i, line in enumerate(lines)
        )
    )


def _hostname(rows: list[_Row], hostname: str, runtime: RuntimeProfile) -> Decision:
    uts = next((joined for kind, joined, _, _ in rows if kind == "uts"), None)
    if uts is None or not hostname or (uts and runtime.name == "containerd"):
        return Decision()
    return assign(path("hostname"), hostname, "the Pod's host name", runtime.source)


def _agreement(context: LinuxContainerSecurityContext, sandbox: PodSandboxConfig, runtime: RuntimeProfile) -> Decision:
    options_of_pod = sandbox.security_context.namespace_options
    pod = options_of_pod.userns_options if options_of_pod is not None else None
    own = own_userns(context)
    if (pod if pod is not None and pod.mode == "POD" else None) == own:
        return Decision()
    sentence = "user namespace config for sandbox is different from container"
    return refuse(path("linux", "uidMappings"), None, sentence, runtime.source)
