"""The metadata of every kind of object: when it is made, and when it is changed.

Specification: Kubernetes, apimachinery ValidateObjectMeta, ValidateObjectMetaUpdate, and those of the same names in
pkg/apis/core/validation, which look at the names of finalizers once more. What the server itself sees to (uid, times)
may not change; a finalizer may not come where the object is being deleted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from podward.api.gotext import quote
from podward.decision import Decision, merge
from podward.documents.raw_fields import member
from podward.schema.strategies.equality import same
from podward.schema.strategies.names import SEGMENT, NameRule
from podward.schema.validation import labels, metadata
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    each,
    forbidden,
    invalid,
    invalid_value,
    required,
)
from podward.schema.validation.names import label_faults
from podward.schema.validation.raw import number, text, texts
from podward.schema.validation.rules import Code, Each, Items, May, Rule
from podward.schema.validation.table import WALKS as OF_PODS
from podward.schema.validation.values import NOT_NEGATIVE, named
from podward.schema.validation.walk import CodeRule, Scope, Walks

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject
    from podward.schema.strategies.strategy import Validate, ValidateUpdate

_META = Place(ROOT, "metadata")
_LABELS, _ANNOTATIONS = Code(labels.of("labels"), ("labels",)), Code(metadata.check_annotations, ("annotations",))
_OWNERS, _FINALIZERS = Code(metadata.owners, ("ownerReferences",)), Code(metadata.finalizers, ("finalizers",))
_MANAGED, _KNOWN = Each("managedFields", "ManagedFieldsEntry"), Items("finalizers", named(metadata.finalizer_faults))
_NEW: tuple[Rule, ...] = (May("generation", NOT_NEGATIVE), _LABELS, _ANNOTATIONS, _OWNERS, _FINALIZERS, _MANAGED)
_CHANGED: tuple[Rule, ...] = (_LABELS, _ANNOTATIONS, _OWNERS, _MANAGED)
_WALKS = Walks(
    {"new": (*_NEW, _KNOWN), "new/any": _NEW, "changed": (*_CHANGED, _KNOWN), "changed/any": _CHANGED}, OF_PODS
)
_OF_STATUS = ("resourceVersion", "managedFields")
_IMMUTABLE = ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds")


def new(names: NameRule, *, namespaced: bool) -> Validate:
    """What is wrong with the metadata of an object that is to be made, as Kubernetes' own kinds have it."""
    return _of_new(names, _WALKS["new"], _placed if namespaced else _not_placed)


def any_new(names: NameRule, *, namespaced: bool) -> Validate:
    """The same of any kind: its finalizers may be called what they like."""
    return _of_new(names, _WALKS["new/any"], _placed if namespaced else _not_placed)


def _of_new(names: NameRule, walk: CodeRule, place: CodeRule) -> Validate:
    whole, beginning = names.whole, names.beginning

    def validate(obj: JsonObject) -> Decision:
        of, scope = member(obj, "metadata"), Scope(_WALKS, "", obj)
        found: list[Decision] = []
        prefix, name = text(of, "generateName"), text(of, "name")
        if prefix and (faults := beginning(prefix)):
            found.append(each(_META / "generateName", prefix, faults))
        if not name:
            found.append(required(_META / "name", "name or generateName is required"))
        elif faults := whole(name):
            found.append(each(_META / "name", name, faults))
        found += [wrong for rule in (place, walk) if (wrong := rule(of, scope, _META)) is not NOTHING]
        return merge(*found) if found else NOTHING

    return validate


def _placed(of: JsonObject, _scope: Scope, at: Place) -> Decision:
    namespace = text(of, "namespace")
    if not namespace:
        return required(at / "namespace")
    faults = label_faults(namespace)
    return each(at / "namespace", namespace, faults) if faults else NOTHING


def _not_placed(of: JsonObject, _scope: Scope, at: Place) -> Decision:
    return forbidden(at / "namespace", "not allowed on this type") if text(of, "namespace") else NOTHING


def changed(obj: JsonObject, old: JsonObject) -> Decision:
    """What is wrong with a change of metadata, as Kubernetes' own kinds have it."""
    return _change(obj, old, _WALKS["changed"])


def any_changed(obj: JsonObject, old: JsonObject) -> Decision:
    """The same of any kind."""
    return _change(obj, old, _WALKS["changed/any"])


def _change(obj: JsonObject, old: JsonObject, walk: CodeRule) -> Decision:
    of, before = member(obj, "metadata"), member(old, "metadata")
    found: list[Decision] = []
    if before.get("deletionTimestamp") is not None:
        found.append(_late_finalizers(texts(of, "finalizers"), texts(before, "finalizers")))
    if not text(of, "resourceVersion"):
        found.append(invalid(_META / "resourceVersion", "", "must be specified for an update"))
    if number(of, "generation") < number(before, "generation"):
        found.append(invalid(_META / "generation", number(of, "generation"), "must not be decremented"))
    for name in _IMMUTABLE:
        value = of.get(name)
        if value != before.get(name) and not same(value, before.get(name)):
            found.append(invalid_value(_META / name, value, "field is immutable"))
    wrong = walk(of, Scope(_WALKS, "", obj), _META)
    if wrong is not NOTHING:
        found.append(wrong)
    return merge(*found) if found else NOTHING


def _late_finalizers(new_ones: Sequence[str], old_ones: Sequence[str]) -> Decision:
    late = sorted(set(new_ones).difference(old_ones))
    if not late:
        return NOTHING
    listed = f"[]string{{{', '.join(map(quote, late))}}}"
    detail = f"no new finalizers can be added if the object is being deleted, found new finalizers {listed}"
    return forbidden(_META / "finalizers", detail)


_ANY = {True: any_new(SEGMENT, namespaced=True), False: any_new(SEGMENT, namespaced=False)}


def common_new(obj: JsonObject, *, namespaced: bool) -> Decision:
    """What is asked of every object that is made, after its kind found nothing wrong."""
    return _ANY[namespaced](obj)


def common_change(obj: JsonObject, old: JsonObject, *, namespaced: bool) -> Decision:
    """What is asked of every change, before its kind is asked."""
    return _ANY[namespaced](obj) + any_changed(obj, old)


def both(validate: Validate) -> ValidateUpdate:
    """A change of metadata, then all that is asked of a new object."""
    return lambda obj, old: changed(obj, old) + validate(obj)


def keeping_all_but_status(obj: JsonObject, old: JsonObject) -> JsonObject:
    """A change of the status, with everything else as it is stored; a deletion, and who wrote what, go on."""
    made: JsonObject = {name: value for name, value in old.items() if name != "status"}
    if "status" in obj:
        made["status"] = obj["status"]
    of, before = member(obj, "metadata"), dict(member(old, "metadata"))
    for name in _OF_STATUS:
        if of.get(name) is None:
            before.pop(name, None)
        else:
            before[name] = of[name]
    return {**made, "metadata": before}
