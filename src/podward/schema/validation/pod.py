"""All that the API server refuses about a Pod on creation, in its order.

Specification: Kubernetes, ValidatePodCreate: metadata and annotations; the spec, as `table` has it; what annotations
and fields say of the same. What is left out: tolerations in an annotation.
"""

from __future__ import annotations

from podward.api.core import Pod
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.decision import Decision, Violation, merge
from podward.documents.raw_fields import member
from podward.path import Path
from podward.schema.validation import apparmor, metadata, pod_annotations, seccomp
from podward.schema.validation.field import NOTHING, Place, required, unsupported
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope

_META, _SPEC = Place(None, "metadata"), Place(None, "spec")
_RESTART = frozenset(("Always", "OnFailure", "Never"))
_OF_JOBS = ("OnFailure", "Never")
_ALWAYS_KINDS = frozenset(
    ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController", "DeploymentConfig")
)
_JOB_KINDS = frozenset(("Job", "CronJob"))
_SPEAKING = (apparmor.PREFIX, seccomp.CONTAINER_PREFIX, seccomp.POD_KEY, *pod_annotations.KEYS)


def validate(pod: Pod, raw: JsonObject, kind: str = "Pod", *, allow_privileged: bool = True) -> Decision:
    """What is refused about a Pod that is to be sent, after defaulting, each error once; paths are the Pod's own.

    `raw` is the same Pod with what the view leaves out; `kind` is that of the workload it comes from;
    `allow_privileged` is the API server's switch of that name.
    """
    names = metadata.sent(pod.metadata, _META)
    scope = Scope(WALKS, pod.metadata.name or "", raw, allow_privileged=allow_privileged)
    return _once(merge(names, _parts(scope), workload(scope.spec, kind)))


def errors(pod: Pod, raw: JsonObject, *, allow_privileged: bool = True) -> Decision:
    """Every error of the API server about a Pod as it has it: complete, and the same error as often as it finds it."""
    scope = Scope(WALKS, pod.metadata.name or "", raw, allow_privileged=allow_privileged)
    return metadata.complete(pod.metadata, _META) + _parts(scope)


def _parts(scope: Scope) -> Decision:
    """Everything but the Pod's names."""
    raw, of_metadata = scope.raw, member(scope.raw, "metadata")
    found = [scope.check("ObjectMeta", of_metadata, _META)]
    speak = annotations_speak(of_metadata)
    if speak:
        at = _META / "annotations"
        found += [pod_annotations.check(of_metadata, scope.spec, at), seccomp.check_annotations(of_metadata, at)]
        found.append(apparmor.check_annotations(raw, at))
    found.append(scope.check("PodSpec", scope.spec, _SPEC))
    if speak:
        found += [seccomp.agreement(raw, _SPEC.path), apparmor.agreement(raw, _SPEC.path)]
    return merge(*found)


def annotations_speak(of_metadata: JsonObject) -> bool:
    """Whether any annotation means something to the API server."""
    for name in member(of_metadata, "annotations"):  # noqa: SIM110  # a generator would cost each Pod
        if name.startswith(_SPEAKING):
            return True
    return False


def workload(spec: JsonObject, kind: str) -> Decision:
    """What the workload's kind makes of its Pods' restartPolicy, which is Always where none is set."""
    policy, place = spec.get("restartPolicy") or "Always", _SPEC / "restartPolicy"
    if not isinstance(policy, str) or policy not in _RESTART:
        return NOTHING
    if kind in _ALWAYS_KINDS and policy != "Always":
        return unsupported(place, policy, ("Always",))
    if kind in _JOB_KINDS and policy not in _OF_JOBS:
        return required(place, "valid values: " + ", ".join(quote(word) for word in _OF_JOBS))
    return NOTHING


def _once(decision: Decision) -> Decision:
    """Each violation once: the server reports the same error at the same place only once."""
    if not decision.violations:
        return decision
    seen: set[tuple[Path, str]] = set()
    kept: list[Violation] = []
    for violation in decision.violations:
        key = (violation.path, violation.reason)
        if key not in seen:
            seen.add(key)
            kept.append(violation)
    return Decision(violations=tuple(kept))
