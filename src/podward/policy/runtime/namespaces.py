"""The container's namespaces, its id maps and its host name in the spec.

Specification, in our words. Each container has its own mount namespace, and a new PID namespace if the mode is
CONTAINER; in mode TARGET it joins that of another container. It joins the Pod's network, IPC, UTS and user namespaces
by path, and the Pod's PID namespace if the Pod shares it. A namespace of the host is left out. (containerd writes the
path of the sandbox's namespace, which then is the host's too.) A cgroup namespace is added on cgroup v2 if the
container is not privileged (containerd 2.2 `buildLinuxSpec`, CRI-O 1.33 `setupCgroupNamespace`; Docker's default is the
same). On the host's network containerd and Docker also use the host's UTS namespace; CRI-O does not. The id maps are
written together with the path of the user namespace, as containerd does. The spec has a host name if the container gets
a new UTS namespace; with CRI-O and Docker it always has one. The container must request the same user namespace as its
sandbox.
"""

from __future__ import annotations

from msgspec import Struct, structs

from podward.api.cri import (
    ContainerConfig,
    LinuxContainerSecurityContext,
    NamespaceOption,
    PodSandboxConfig,
    UserNamespace,
)
from podward.api.oci import LinuxIDMapping, Namespace
from podward.decision import Assignment, Decision, Source, assign, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("linux", "namespaces")


class NamespacePaths(Struct, frozen=True, gc=False):
    """The paths at which the Pod's namespaces are pinned; "" if the Pod has none and the container gets a new one."""

    ipc: str = ""
    net: str = ""
    uts: str = ""
    pid: str = ""
    user: str = ""


class Placement(Struct, frozen=True, gc=False):
    """The Pod's pinned namespaces, its host name, and whether the machine uses cgroup v2."""

    pinned: NamespacePaths = NamespacePaths()
    hostname: str = ""
    cgroup_v2: bool = True


_Row = tuple[str, str, str, str]


def options(context: LinuxContainerSecurityContext) -> NamespaceOption:
    """The container's namespace options; without options in the message, the Pod has its own namespaces."""
    return context.namespace_options or NamespaceOption()


def of_sandbox(config: PodSandboxConfig) -> NamespaceOption:
    """The sandbox's namespace options; without options in the message it has its own namespaces."""
    return config.linux.security_context.namespace_options or NamespaceOption()


def with_namespaces_of(sandbox: PodSandboxConfig, config: ContainerConfig) -> ContainerConfig:
    """The container's message as a runtime reads it: whatever it says, its network and its IPC are its sandbox's.

    So are the host's processes, where the sandbox has these and the container names no others. Source: containerd 2.2
    `WithPodNamespaces`; a kubelet says the same in both messages.
    """
    pod, context = of_sandbox(sandbox), config.linux.security_context
    own = options(context)
    pid = "NODE" if own.pid == "POD" and pod.pid == "NODE" else own.pid
    modes = structs.replace(own, network=pod.network, ipc=pod.ipc, pid=pid)
    context = structs.replace(context, namespace_options=modes)
    return structs.replace(config, linux=structs.replace(config.linux, security_context=context))


def own_userns(context: LinuxContainerSecurityContext) -> UserNamespace | None:
    """The Pod's own user namespace; None if it uses the host's."""
    userns = options(context).userns_options
    return userns if userns is not None and userns.mode == "POD" else None


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
        + _check_sandbox(context, sandbox, runtime)
    )


def _source(field: str, runtime: RuntimeProfile) -> Source:
    return runtime.source_of("linux", "securityContext", "namespaceOptions", field) if field else runtime.source


def _row(kind: str, modes: NamespaceOption, pinned: NamespacePaths, runtime: RuntimeProfile) -> _Row | None:
    """The kind, the path to join, the reason, and the option that decides it; None for the host's namespace."""
    if kind == "mount":
        return kind, "", "always its own", ""
    if kind == "pid":
        return _pid(modes, pinned)
    if kind == "uts":
        shared = modes.network == "NODE" and runtime.name != "cri-o"
        joined = "" if runtime.name == "docker" else pinned.uts
        return None if shared else (kind, joined, _whose(joined), "network")
    mode, joined = (modes.network, pinned.net) if kind == "network" else (modes.ipc, pinned.ipc)
    return None if mode == "NODE" else (kind, joined, _whose(joined), kind)


def _pid(modes: NamespaceOption, pinned: NamespacePaths) -> _Row | None:
    if modes.pid == "NODE":
        return None
    joined = "" if modes.pid == "CONTAINER" else pinned.pid
    return "pid", joined, "its target's" if modes.pid == "TARGET" else _whose(joined), "pid"


def _whose(joined: str) -> str:
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


def _check_sandbox(
    context: LinuxContainerSecurityContext, sandbox: PodSandboxConfig, runtime: RuntimeProfile
) -> Decision:
    """A violation if container and sandbox do not request the same user namespace."""
    options_of_pod = sandbox.linux.security_context.namespace_options
    pod = options_of_pod.userns_options if options_of_pod is not None else None
    own = own_userns(context)
    if (pod if pod is not None and pod.mode == "POD" else None) == own:
        return Decision()
    sentence = "user namespace config for sandbox is different from container"
    return refuse(path("linux", "uidMappings"), None, sentence, runtime.source)
