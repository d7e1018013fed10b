"""Whether the node takes a Pod that is bound to it.

Specification (kubelet, `canAdmitPod`, pkg/kubelet/lifecycle predicate.go and pkg/kubelet/sysctl; pkg/scheduler
AdmissionCheck; in our words): sysctls must be allowed (SysctlForbidden), AppArmor must be there for who asks for it
(AppArmor), the operating system must be this one, the policy of supplemental groups must be known. Then resources must
be left beside those of the Pods that are admitted (OutOfcpu, OutOfmemory, OutOfpods, …), node selector and affinity
must match (NodeAffinity), host ports be free (NodePorts), taints of NoExecute be tolerated (TaintToleration), but by
static Pods. Resources that the node does not know are others' affair. The first reason is told; the Pod has failed.

A Pod that was admitted once stays: whatever it has in its status has been run here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import structs

from podward.api.json_value import JsonObject
from podward.api.node import Node
from podward.api.pod_seen import PodEnding
from podward.decision import Decision
from podward.documents.raw_fields import member
from podward.node.subject import Subject
from podward.policy.kubelet import apparmor, groups, sysctls, windows
from podward.policy.scheduling import node_fit
from podward.policy.scheduling.facts import NodeFacts, PodFacts, node_facts, pod_facts
from podward.policy.scheduling.node_fit import Insufficient, Misfit

OS_LABEL = "kubernetes.io/os"
_NO_APPARMOR = "Cannot enforce AppArmor: "
"""What stands once before each reason of this kind."""
_OWN_RESOURCES = frozenset(("cpu", "memory", "ephemeral-storage", "pods"))


def admit(subject: Subject, here: Node, node: JsonObject, others: Iterable[JsonObject]) -> PodEnding | None:
    """Why the Pod is rejected; `node` is the Node object, `others` are the Pods that were admitted before."""
    for reason, decision in _of_kubelet(subject, here):
        if decision.refused:
            return PodEnding(reason, _message(reason, decision), rejected=True)
    label = (subject.pod.metadata.labels or {}).get(OS_LABEL)
    if label is not None and label != "linux":
        message = f"Failed to admit pod as the `{OS_LABEL}` label doesn't match node label"
        return PodEnding("PodOSSelectorNodeLabelDoesNotMatch", message, rejected=True)
    misfit = _misfit(pod_facts(subject.document), node_facts(node, map(pod_facts, others)), static=subject.is_static)
    if misfit is None:
        return None
    if isinstance(misfit, Insufficient):
        amounts = f"requested: {misfit.requested}, used: {misfit.used}, capacity: {misfit.capacity}"
        message = f"Node didn't have enough resource: {misfit.resource}, {amounts}"
        return PodEnding(f"OutOf{misfit.resource}", message, rejected=True)
    return PodEnding(misfit.plugin, f"Predicate {misfit.plugin} failed: {misfit.reason}", rejected=True)


def _of_kubelet(subject: Subject, here: Node) -> Iterable[tuple[str, Decision]]:
    spec, place = subject.pod.spec, subject.place
    yield "SysctlForbidden", sysctls.admit(spec, place, here.allowed_unsafe_sysctls)
    yield "AppArmor", apparmor.admit_host(subject.pod, place, enabled=here.lsm == "apparmor")
    yield "AppArmor", apparmor.admit(subject.pod, place)
    yield "PodOSNotSupported", windows.admit(spec, place)
    yield (
        "SupplementalGroupsPolicyNotSupported",
        groups.admit(spec, place, supported=here.supplemental_groups_policy),
    )


def _message(reason: str, decision: Decision) -> str:
    said = decision.violations[0].reason
    return f"{_NO_APPARMOR}{said.removeprefix(_NO_APPARMOR)}" if reason == "AppArmor" else said


def _misfit(pod: PodFacts, node: NodeFacts, *, static: bool) -> Misfit | None:
    known = {
        name: amount for name, amount in pod.requests.items() if name in _OWN_RESOURCES or name in node.allocatable
    }
    pod = structs.replace(pod, requests=known)
    rules: tuple[Callable[[PodFacts, NodeFacts], tuple[Misfit, ...]], ...] = (
        node_fit.has_resources,
        node_fit.is_selected,
        node_fit.is_named,
        node_fit.has_ports,
    )
    found = next((misfit for rule in rules for misfit in rule(pod, node)), None)
    if found is not None or static:
        return found
    taints = node.view.spec.taints or ()
    if node_fit.untolerated(pod.spec.tolerations or (), taints, (node_fit.NO_EXECUTE,)) is None:
        return None
    return Misfit("TaintToleration", "node(s) had untolerated taint(s)")


def was_admitted(document: JsonObject) -> bool:
    """Whether the Pod has been run here already: a node that starts again does not judge it anew."""
    status = member(document, "status")
    return "startTime" in status and status.get("phase") in {"Pending", "Running"}
