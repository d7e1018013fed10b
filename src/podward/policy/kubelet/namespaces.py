"""Which namespaces a Pod shares with its node, and which its containers share.

Specification (kubelet, `NamespacesForPod`, in our words): hostNetwork and hostIPC give NODE, else POD. hostPID gives
NODE, else shareProcessNamespace gives POD, else CONTAINER. Where it is CONTAINER, an ephemeral container with a
`targetContainerName` gets TARGET: the process namespace of that container (`generateLinuxContainerConfig`). If
hostUsers is unset or true, the mode of the user namespace is NODE. If it is false, the mode is POD with one mapping of
65536 ids, or an error if the runtime (or the handler of the Pod's RuntimeClass) does not support user namespaces.
"""

from __future__ import annotations

from podward.api.core import PodSpec
from podward.api.cri import IDMapping, UserNamespace
from podward.api.effective import Place
from podward.api.gotext import quote
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, assign, refuse
from podward.path import path

PLACE = path("namespaceOptions")
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} namespaces")


def decide_target(target: str, place: Place, decided: Decision) -> Decision:
    """The process namespace of an ephemeral container's target, where `decided` gives it one of its own."""
    own = decided.assignment(PLACE / "pid")
    if not target or own is None or own.value != "CONTAINER":
        return Decision()
    source = Source(Origin.MANIFEST, place.document, place.container / "targetContainerName")
    reason = f"the process namespace of container {target}"
    return assign(PLACE / "pid", "TARGET", reason, source) + assign(PLACE / "targetId", target, reason, source)


def decide(spec: PodSpec, place: Place, mapping: IDMapping | None, *, userns_supported: bool) -> Decision:
    """`namespaceOptions`; `mapping` is the id range that the node reserved for this Pod, needed for hostUsers false."""
    base = place.pod / "spec"
    if spec.host_users is False and (not userns_supported or mapping is None):
        what = "runtime"
        if spec.runtime_class_name:
            what = f"RuntimeClass handler {quote(spec.runtime_class_name)}"
        sentence = f"can't set `spec.hostUsers: false`, {what} does not support user namespaces"
        return refuse(base / "hostUsers", False, sentence, RULE)
    userns = UserNamespace()
    if spec.host_users is False and mapping is not None:
        userns = UserNamespace("POD", (mapping,), (mapping,))
    pid_field, pid = _pid(spec)
    rows: tuple[tuple[str, str | UserNamespace, str, bool], ...] = (
        ("network", "NODE" if spec.host_network else "POD", "hostNetwork", spec.host_network is not None),
        ("ipc", "NODE" if spec.host_ipc else "POD", "hostIPC", spec.host_ipc is not None),
        ("pid", pid, pid_field, bool(spec.host_pid or spec.share_process_namespace)),
        ("usernsOptions", userns, "hostUsers", spec.host_users is not None),
    )
    return Decision(
        tuple(
            Assignment(
                PLACE / name,
                value,
                f"{field} decides" if written else f"{field} is not set",
                Source(Origin.MANIFEST, place.document, base / field) if written else RULE,
            )
            for name, value, field, written in rows
        )
    )


def _pid(spec: PodSpec) -> tuple[str, str]:
    """The field that decides the mode of the PID namespace, and the mode."""
    if spec.host_pid:
        return "hostPID", "NODE"
    return "shareProcessNamespace", "POD" if spec.share_process_namespace else "CONTAINER"
