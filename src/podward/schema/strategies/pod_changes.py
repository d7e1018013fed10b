"""What may change of a Pod.

Specification: Kubernetes, ValidatePodUpdate, ValidatePodEphemeralContainersUpdate, ValidatePodSpecificAnnotationUpdates
and their parts: images, a shorter deadline, more tolerations, fewer scheduling gates; where a Pod that is held back by
a gate may run, more narrowly. Anything else is refused with the difference, line by line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.gotext import quote
from podward.api.json_value import Json
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.path import Key
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.equality import same, same_but
from podward.schema.strategies.internal_json import difference, internal
from podward.schema.strategies.workloads import SPEC
from podward.schema.validation import apparmor, containers, pod_annotations, scheduling, seccomp
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    between,
    forbidden,
    invalid,
    invalid_value,
    required,
)
from podward.schema.validation.pod import annotations_speak
from podward.schema.validation.raw import number, strings, text
from podward.schema.validation.rules import Code, Each, Rule
from podward.schema.validation.table import PODS
from podward.schema.validation.table import WALKS as OF_PODS
from podward.schema.validation.walk import Scope, Walks

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

MIRROR = "kubernetes.io/config.mirror"
_ANNOTATIONS = ROOT / "metadata" / "annotations"
_MUTABLE = (
    "`spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only"
    " additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was"
    " previously negative)"
)
_LARGEST = (1 << 31) - 1
_OF_NEW_ALONE = (containers.not_created, scheduling.bound_and_gated)
_TERMS = SPEC / "affinity" / "nodeAffinity" / "requiredDuringSchedulingIgnoredDuringExecution" / "nodeSelectorTerms"


def _of_changed(rule: Rule) -> bool:
    return not (isinstance(rule, Code) and rule.rule in _OF_NEW_ALONE)


_WALKS = Walks(
    {
        "PodSpec/changed": [rule for rule in PODS["PodSpec"] if _of_changed(rule)],
        "PodSpec/tolerations": (Each("tolerations", "Toleration"),),
    },
    OF_PODS,
)
_META = object_meta.new(names.SUBDOMAIN, namespaced=True)


def metadata_and_spec(obj: JsonObject) -> Decision:
    """What is asked of every Pod that is there, whatever has changed."""
    scope, of = Scope(_WALKS, text(member(obj, "metadata"), "name"), obj), member(obj, "metadata")
    speaks = _meaning(of, scope) if annotations_speak(of) else NOTHING
    return merge(_META(obj), speaks, scope.check("PodSpec/changed", scope.spec, SPEC))


def _meaning(of: JsonObject, scope: Scope) -> Decision:
    return merge(
        pod_annotations.check(of, scope.spec, _ANNOTATIONS),
        seccomp.check_annotations(of, _ANNOTATIONS),
        apparmor.check_annotations(scope.raw, _ANNOTATIONS),
    )


def same_meaning(obj: JsonObject, old: JsonObject) -> Decision:
    """Annotations that say what a Pod is never come, change, or go."""
    of = member(obj, "metadata")
    now, before = strings(of, "annotations"), strings(member(old, "metadata"), "annotations")
    found: list[Decision] = []
    for listed, other, what in ((before, now, "remove or update"), (now, before, "add")):
        for key, value in listed.items():
            if other.get(key) == value or (what == "add" and key in other):
                continue
            if key.startswith(apparmor.PREFIX):
                found.append(forbidden(_ANNOTATIONS / Key(key), f"may not {what} AppArmor annotations"))
            if key == MIRROR:
                found.append(forbidden(_ANNOTATIONS / Key(key), f"may not {what} mirror pod annotation"))
    speaks = _meaning(of, Scope(_WALKS, "", obj)) if annotations_speak(of) else NOTHING
    return merge(*found, speaks)


def validate(obj: JsonObject, old: JsonObject) -> Decision:
    """Everything that is wrong with a change of a Pod."""
    spec, before = member(obj, "spec"), member(old, "spec")
    found = [object_meta.changed(obj, old), metadata_and_spec(obj), same_meaning(obj, old)]
    for listed in ("containers", "initContainers"):
        ours, theirs = objects(spec, listed), objects(before, listed)
        if len(ours) != len(theirs):
            return merge(*found, forbidden(SPEC / listed, "pod updates may not add or remove containers"))
        found.append(_images(ours, listed))
    wrong, stop = _deadline(spec, before)
    found.append(wrong)
    if stop:
        return merge(*found)
    found += [_tolerations(spec, before), _gates(spec, before)]
    if same(spec, before):
        return merge(*found)
    return merge(*found, _rest(spec, before))


def _images(ours: list[JsonObject], listed: str) -> Decision:
    found: list[Decision] = []
    for index, container in enumerate(ours):
        place = SPEC / listed / index
        if not text(container, "image"):
            found.append(required(place / "image"))
        found.append(containers.image(container, place))
    return merge(*found)


def _deadline(spec: JsonObject, before: JsonObject) -> tuple[Decision, bool]:
    """What is wrong with the deadline, and whether that is all that is told."""
    place, now, then = (
        SPEC / "activeDeadlineSeconds",
        spec.get("activeDeadlineSeconds"),
        before.get("activeDeadlineSeconds"),
    )
    if type(now) is not int:
        detail = "must not update from a positive integer to nil value"
        return (NOTHING if then is None else invalid_value(place, None, detail)), False
    if not 0 <= now <= _LARGEST:
        return invalid(place, now, between(0, _LARGEST)), True
    if type(then) is int and then < now:
        return invalid(place, now, "must be less than or equal to previous value"), True
    return NOTHING, False


def _tolerations(spec: JsonObject, before: JsonObject) -> Decision:
    place, ours = SPEC / "tolerations", objects(spec, "tolerations")
    for stored in objects(before, "tolerations"):
        if not any(same_but(stored, one, "tolerationSeconds") for one in ours):
            return forbidden(place, "existing toleration can not be modified except its tolerationSeconds")
    if not ours or same(spec.get("tolerations"), before.get("tolerations")):
        return NOTHING
    return _WALKS["PodSpec/tolerations"](spec, Scope(_WALKS, "", {"spec": spec}), SPEC)


def _gates(spec: JsonObject, before: JsonObject) -> Decision:
    stored = {text(gate, "name") for gate in objects(before, "schedulingGates")}
    new = {text(gate, "name"): index for index, gate in enumerate(objects(spec, "schedulingGates"))}
    found = [
        forbidden(
            SPEC / "schedulingGates" / index / "name",
            f"only deletion is allowed, but found new scheduling gate '{name}'",
        )
        for name, index in sorted(new.items())
        if name not in stored
    ]
    return merge(*found) if found else NOTHING


def _rest(spec: JsonObject, before: JsonObject) -> Decision:
    """Nothing else may differ: what may is taken as it is stored."""
    munged, found = dict(spec), NOTHING
    for listed in ("containers", "initContainers"):
        ours, theirs = objects(spec, listed), objects(before, listed)
        as_stored: list[Json] = [_with(one, "image", other) for one, other in zip(ours, theirs, strict=True)]
        if ours:
            munged[listed] = as_stored
    for name in ("activeDeadlineSeconds", "schedulingGates", "tolerations"):
        _take(munged, before, name)
    grace, stored = spec.get("terminationGracePeriodSeconds"), number(before, "terminationGracePeriodSeconds")
    if stored < 0 and grace == 1:
        _take(munged, before, "terminationGracePeriodSeconds")
    if before.get("schedulingGates"):
        found = _narrowed(munged, before)
    if same(munged, before):
        return found
    lines = difference("core.PodSpec", before, munged)
    return found + forbidden(SPEC, f"pod updates may not change fields other than {_MUTABLE}\n{lines}")


def _take(to: JsonObject, of: JsonObject, name: str) -> None:
    if of.get(name) is None:
        to.pop(name, None)
    else:
        to[name] = of[name]


def _with(container: JsonObject, name: str, stored: JsonObject) -> JsonObject:
    made = dict(container)
    _take(made, stored, name)
    return made


# --- where a Pod that is held back may run ----------------------------------------------------------------------------


def _narrowed(munged: JsonObject, before: JsonObject) -> Decision:
    """What is wrong with a new choice of nodes; `munged` gets the stored one."""
    found, now, then = NOTHING, strings(munged, "nodeSelector"), strings(before, "nodeSelector")
    if now != then:
        if any(now.get(key) != value for key, value in then.items()):
            detail = "only additions to spec.nodeSelector are allowed (no mutations or deletions)"
            found = invalid_value(SPEC / "nodeSelector", dict(now) or None, detail)
        _take(munged, before, "nodeSelector")
    affinity, stored = munged.get("affinity"), before.get("affinity")
    ours = affinity.get("nodeAffinity") if isinstance(affinity, dict) else None
    theirs = stored.get("nodeAffinity") if isinstance(stored, dict) else None
    if same(ours, theirs):
        return found
    found += _terms(ours if isinstance(ours, dict) else {}, theirs if isinstance(theirs, dict) else {})
    made = dict(affinity) if isinstance(affinity, dict) else {}
    _take(made, stored if isinstance(stored, dict) else {}, "nodeAffinity")
    if made or isinstance(stored, dict):
        munged["affinity"] = made
    else:
        munged.pop("affinity", None)
    return found


def _terms(ours: JsonObject, theirs: JsonObject) -> Decision:
    required_terms = "requiredDuringSchedulingIgnoredDuringExecution"
    if theirs.get(required_terms) is None:
        return NOTHING
    now, then = (objects(member(side, required_terms), "nodeSelectorTerms") for side in (ours, theirs))
    if then and len(now) != len(then):
        printed = internal("[core.NodeSelectorTerm", [*now] or None)
        return invalid_value(_TERMS, printed, "no additions/deletions to non-empty NodeSelectorTerms list are allowed")
    found: list[Decision] = []
    for index, (term, stored) in enumerate(zip(now, then, strict=False)):
        if not _only_more(term, stored):
            printed = internal("core.NodeSelectorTerm", term)
            detail = "only additions are allowed (no mutations or deletions)"
            found.append(invalid_value(_TERMS / index, printed, detail))
    return merge(*found)


def _only_more(term: JsonObject, stored: JsonObject) -> bool:
    lists = ("matchExpressions", "matchFields")
    if not any(stored.get(name) for name in lists):
        return not any(term.get(name) for name in lists)
    for name in lists:
        then: list[Json] = [*objects(stored, name)]
        now: list[Json] = [*objects(term, name)[: len(then)]]
        if not same(now, then):
            return False
    return True


# --- ephemeral containers ---------------------------------------------------------------------------------------------


def validate_debugging(obj: JsonObject, old: JsonObject) -> Decision:
    """Everything that is wrong with ephemeral containers that come: none that is there changes or goes."""
    found = [object_meta.changed(obj, old), metadata_and_spec(obj), same_meaning(obj, old)]
    if MIRROR in member(member(old, "metadata"), "annotations"):
        return forbidden(ROOT / Key(""), "static pods do not support ephemeral containers")
    place, ours = SPEC / "ephemeralContainers", objects(member(obj, "spec"), "ephemeralContainers")
    by_name = {text(container, "name"): container for container in ours}
    for stored in objects(member(old, "spec"), "ephemeralContainers"):
        name = text(stored, "name")
        now = by_name.get(name)
        if now is None:
            found.append(forbidden(place, f"existing ephemeral containers {quote(name)} may not be removed\n"))
        elif not same(now, stored):
            lines = difference("core.EphemeralContainer", stored, now)
            detail = f"existing ephemeral containers {quote(name)} may not be changed\n{lines}"
            found.append(forbidden(place, detail))
    return merge(*found)
