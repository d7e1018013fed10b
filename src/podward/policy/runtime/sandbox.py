"""The sandbox and its container: the sandbox's sysctls, the container's annotations about it, and its privilege.

Specification, in our words:
- Sysctls (containerd 2.2 `sandbox_run_linux.go` with its defaults `enable_unprivileged_ports` and
  `enable_unprivileged_icmp`; Docker 29 `daemon/oci_linux.go`; CRI-O 1.33, whose `default_sysctls` is empty): containerd
  and Docker let every process of a Pod bind low ports (`net.ipv4.ip_unprivileged_port_start` 0) and send ICMP echo
  requests (`net.ipv4.ping_group_range` for all groups), so that neither needs a capability. They set neither sysctl on
  the host's network, nor one that the Pod sets itself. They do not set the group range in a user namespace, the
  Pod's or their own, which does not have that many groups.
- Annotations (containerd 2.2 `annotations.DefaultCRIAnnotations`): the sandbox's id, and the names of Pod, container
  and image (as the user wrote it), which tools below the runtime read. A Pod without a CRI service has no such id. The
  annotations of CRI-O and Docker, which describe their storage, are left out. runsc requires the sandbox's id if
  `container-type` is set; without the type it gives each container its own gVisor sandbox, so the type is left out for
  runsc.
- Privilege (containerd 2.2 `buildLinuxSpec`, CRI-O 1.33 `SetPrivileged`): containerd and CRI-O refuse a privileged
  container in a sandbox that was not requested as privileged. Docker does not check.
"""

from __future__ import annotations

from podward.api.cri import ContainerConfig, LinuxContainerSecurityContext, PodSandboxConfig
from podward.decision import Assignment, Decision, Source, refuse
from podward.path import Key, path
from podward.policy.runtime.runtime_profile import RuntimeProfile

LOW_PORTS = ("net.ipv4.ip_unprivileged_port_start", "0")
PING = ("net.ipv4.ping_group_range", "0 2147483647")
_SYSCTLS = {"containerd": (LOW_PORTS, PING), "docker": (LOW_PORTS, PING), "cri-o": ()}
ANNOTATION_PREFIX = "io.kubernetes.cri."


def decide_sysctls(
    runtime: str, source: Source, pod_sysctls: frozenset[str], *, host_network: bool, user_namespace: bool
) -> Decision:
    """The `linux.sysctls` that this runtime adds to those that the Pod sets; `source` is its table of defaults."""
    if host_network:
        return Decision()
    return Decision(
        tuple(
            Assignment(path("linux", "sysctls", Key(name)), value, "the runtime's own, for every Pod", source)
            for name, value in _SYSCTLS.get(runtime, ())
            if name not in pod_sysctls and not (user_namespace and name == PING[0])
        )
    )


def decide_annotations(
    config: ContainerConfig, sandbox: PodSandboxConfig, runtime: RuntimeProfile, oci_runtime: str, sandbox_id: str = ""
) -> Decision:
    """`annotations`; `oci_runtime` is the name of the OCI runtime: crun, runc or runsc."""
    if runtime.name != "containerd":
        return Decision()
    rows = (
        ("container-type", "container"),
        ("container-name", config.metadata.name),
        ("image-name", config.image.user_specified_image or config.image.image),
        *((("sandbox-id", sandbox_id),) if sandbox_id else ()),
        ("sandbox-name", sandbox.metadata.name),
        ("sandbox-namespace", sandbox.metadata.namespace),
        ("sandbox-uid", sandbox.metadata.uid),
    )
    reason = "containerd names its containers"
    return Decision(
        tuple(
            Assignment(path("annotations", Key(ANNOTATION_PREFIX + name)), value, reason, runtime.source)
            for name, value in rows
            if not (oci_runtime == "runsc" and name == "container-type")
        )
    )


def check_privilege(
    context: LinuxContainerSecurityContext, sandbox: PodSandboxConfig, runtime: RuntimeProfile
) -> Decision:
    """A violation if the container is privileged and its sandbox is not."""
    if not context.privileged or sandbox.linux.security_context.privileged or runtime.name == "docker":
        return Decision()
    sentence = "no privileged container allowed in sandbox"
    return refuse(path("linux", "securityContext", "privileged"), True, sentence, runtime.source)
