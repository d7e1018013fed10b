"""What an audit log never has: what Secrets hold, and tokens. Their values are blank in it; all else stays.

The real server writes them wherever its policy asks for bodies. Here no policy can: of what is sent to Secrets and
comes from them only the names of the values are told, and of what a refusal says about a body only that it was said.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

from msgspec import structs

from podward.api.authorization import Attributes
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status, StatusDetails
from podward.documents.raw_fields import member

Blank: TypeAlias = Callable[[Json], Json]
"""A body without what is secret in it."""

UNTOLD = "not told here: it may quote the body"
_OPEN = frozenset(("kind", "apiVersion", "metadata", "type", "immutable", "columnDefinitions"))
"""The members of Secrets, and of lists and tables of them, that hold no secret."""
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_QUOTING = frozenset((400, 415, 422, 500))
"""Refusals with these codes may quote what was sent."""
_PATCHES_OF_WEBHOOKS = "patch.webhook.admission.k8s.io/"


def blank_of(wanted: Attributes) -> Blank | None:
    """How the bodies of such requests are told; None where they are told as they are."""
    return _BLANKS.get((wanted.group, wanted.resource, wanted.subresource))


def refusal(found: Status) -> Status:
    """A refusal without what it may quote of a body that holds secrets."""
    if found.success or found.code not in _QUOTING:
        return found
    details = found.details
    named = None if details is None else StatusDetails(details.name, details.group, details.kind)
    return structs.replace(found, message=UNTOLD, details=named)


def kept_annotations(found: Mapping[str, str]) -> dict[str, str]:
    """The annotations of an event about what holds secrets: what webhooks changed in it is left out."""
    return {name: text for name, text in found.items() if not name.startswith(_PATCHES_OF_WEBHOOKS)}


def without_managers(body: Json) -> Json:
    """An object, a list, or a table, without managedFields."""
    if not isinstance(body, dict):
        return body
    of = body.get("metadata")
    kept = {**body}
    if isinstance(of, dict) and "managedFields" in of:
        kept["metadata"] = {name: value for name, value in of.items() if name != "managedFields"}
    if isinstance(items := body.get("items"), list):
        kept["items"] = [without_managers(each) for each in items]
    if isinstance(rows := body.get("rows"), list):
        kept["rows"] = [{**each, "object": without_managers(each.get("object"))} for each in _objects(rows)]
    return kept


def _secrets(body: Json) -> Json:
    """A Secret, a list or a table of them, or a patch."""
    if isinstance(body, list):
        return [_operation(each) for each in body]
    if not isinstance(body, dict):
        return _blanked(body)
    found = {name: value if name in _OPEN else _blanked(value) for name, value in body.items()}
    if "metadata" in body:
        found["metadata"] = _unapplied(body["metadata"])
    if isinstance(items := body.get("items"), list):
        found["items"] = [_secrets(each) for each in items]
    if isinstance(rows := body.get("rows"), list):
        found["rows"] = [{**each, "object": _secrets(each.get("object"))} for each in _objects(rows)]
    return found


def _operation(body: Json) -> Json:
    """An operation of a JSON patch."""
    if not isinstance(body, dict):
        return _blanked(body)
    return {name: value if name in {"op", "path", "from"} else _blanked(value) for name, value in body.items()}


def _unapplied(of: Json) -> Json:
    """An object's metadata without the object itself, which kubectl writes into it."""
    if not isinstance(of, dict):
        return _blanked(of)
    annotated = of.get("annotations")
    if not isinstance(annotated, dict) or _APPLIED not in annotated:
        return of
    return {**of, "annotations": {**annotated, _APPLIED: ""}}


def _blanked(value: Json) -> Json:
    """A value of which only the names are told."""
    if isinstance(value, dict):
        return {name: _blanked(each) for name, each in value.items()}
    return None if value is None else ""


def _objects(rows: list[Json]) -> list[JsonObject]:
    return [each for each in rows if isinstance(each, dict)]


def _tokens(body: Json) -> Json:
    """A review or a request of a token."""
    if not isinstance(body, dict):
        return _blanked(body)
    found = {**body}
    for part in ("spec", "status"):
        if member(body, part).get("token"):
            found[part] = {**member(body, part), "token": ""}
    return found


_BLANKS: Mapping[tuple[str, str, str], Blank] = {
    ("", "secrets", ""): _secrets,
    ("", "serviceaccounts", "token"): _tokens,
    ("authentication.k8s.io", "tokenreviews", ""): _tokens,
}
"""What holds secrets, by group, resource and subresource."""
