"""Which namespaces a Pod shares with its node, and which its containers share.

Specification (kubelet, `NamespacesForPod`, in our words): hostNetwork and hostIPC give NODE, else POD. hostPID
gives NODE, else shareProcessNamespace gives POD, else CONTAINER. hostUsers unset or true gives a user namespace of
mode NODE; false gives POD with one mapping, 65536 ids long, or an error where the runtime (or the handler of the
Pod's RuntimeClass) can't do it.
"""

from __future__ import annotations

from podward.api.core import PodSpec
from podward.api.cri import IDMapping, UserNamespace
from podward.api.effective import Place
from podward.api.gotext import quote
from podward.api.version import KUBERNETES
from podward.decision import Assignment, Decision, Origin, Source, refuse
from podward.path import path

PLACE = path("namespaceOptions")
RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} namespaces")


def decide(spec: PodSpec, place: Place, mapping: IDMapping | None, *, userns_supported: bool) -> Decision:
    """namespaceOptions; `mapping` is the range that the node keeps for this Pod, needed if hostUsers is false."""
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
    if spec.host_pid:
        return "hostPID", "NODE"
    return "shareProcessNamespace", "POD" if spec.share_process_namespace else "CONTAINER"
