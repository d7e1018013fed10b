"""Namespaces: their finalizers, phase, and the label with their own name.

Specification: Kubernetes, ValidateNamespace and its updates, the strategies in pkg/registry/core/namespace. The
finalizer `kubernetes` comes by itself and goes through the subresource `finalize` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.api.json_value import Json
from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.kind import changes, in_order, keeping
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation import labels, metadata
from podward.schema.validation.field import NOTHING, ROOT, Place, each, invalid
from podward.schema.validation.raw import text, texts

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_FINALIZER, _LABEL = "kubernetes", "kubernetes.io/metadata.name"
_FINALIZERS = ROOT / "spec" / "finalizers"
_PHASE = ROOT / "status" / "Phase"


def _finalizers(obj: JsonObject) -> Decision:
    spec = member(obj, "spec")
    return merge(*[_finalizer(name, _FINALIZERS) for name in texts(spec, "finalizers")]) if spec else NOTHING


def _finalizer(name: str, at: Place) -> Decision:
    return labels.key(name, at) + each(at, name, metadata.finalizer_faults(name))


def _finalizers_left(obj: JsonObject, _old: JsonObject) -> Decision:
    left = texts(member(obj, "spec"), "finalizers")
    return merge(*[_finalizer(name, _FINALIZERS / index) for index, name in enumerate(left)])


def _phase(obj: JsonObject, _old: JsonObject) -> Decision:
    phase = text(member(obj, "status"), "phase")
    deleted = member(obj, "metadata").get("deletionTimestamp") is not None
    wanted, state = ("Terminating", "not empty") if deleted else ("Active", "empty")
    if phase == wanted:
        return NOTHING
    return invalid(_PHASE, phase, f"may only be '{wanted}' if `deletionTimestamp` is {state}")


def _begun(obj: JsonObject) -> JsonObject:
    """A new Namespace is active, and Kubernetes itself has to let it go."""
    spec = member(obj, "spec")
    held: list[Json] = list(texts(spec, "finalizers"))
    if _FINALIZER not in held:
        held.append(_FINALIZER)
    return {**obj, "spec": {**spec, "finalizers": held}, "status": {"phase": "Active"}}


def _changed(obj: JsonObject, old: JsonObject) -> JsonObject:
    """The finalizers, and the status, are others' to change."""
    held = member(old, "spec").get("finalizers")
    spec: JsonObject = {name: value for name, value in member(obj, "spec").items() if name != "finalizers"}
    if held is not None:
        spec["finalizers"] = held
    return keeping("status")({**obj, "spec": spec}, old)


def _labelled(obj: JsonObject) -> JsonObject:
    of = member(obj, "metadata")
    written = member(of, "labels")
    if written.get(_LABEL) == of.get("name"):
        return obj
    return {**obj, "metadata": {**of, "labels": {**written, _LABEL: of.get("name")}}}


_NEW = in_order(object_meta.new(names.LABEL, namespaced=False), _finalizers)
NAMESPACE = Strategy(
    validate=_NEW,
    validate_update=changes(lambda obj, _old: _NEW(obj), object_meta.changed),
    prepare_for_create=_begun,
    prepare_for_update=_changed,
    canonicalize=_labelled,
    namespaced=False,
)
NAMESPACE_STATUS = Strategy(
    validate_update=changes(object_meta.changed, _phase),
    prepare_for_update=keeping("spec"),
    canonicalize=_labelled,
    namespaced=False,
)
NAMESPACE_FINALIZE = Strategy(
    validate_update=changes(object_meta.changed, _finalizers_left),
    prepare_for_update=keeping("status"),
    canonicalize=_labelled,
    namespaced=False,
)
