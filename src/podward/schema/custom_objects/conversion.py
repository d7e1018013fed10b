"""Conversion of custom objects by a webhook: what it is sent, and what its answer must be.

Specification: apiextensions-apiserver, pkg/apiserver/conversion/webhook_converter.go, whose words these are. Of the
metadata a webhook may change labels and annotations only.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from podward.api.gotext import quote
from podward.api.json_value import Json, JsonObject
from podward.api.resource import GroupVersion
from podward.api.webhook_client import WebhookClient
from podward.documents.raw_fields import member
from podward.schema.review_answers import ReviewKind, unfit, unreadable
from podward.schema.strategies.flow import with_metadata
from podward.schema.validation import labels, metadata
from podward.schema.validation.field import ROOT
from podward.schema.validation.raw import text, texts
from podward.schema.validation.table import WALKS
from podward.schema.validation.walk import Scope

_GROUP, _KIND = "apiextensions.k8s.io", "ConversionReview"
_VERSIONS = ("v1", "v1beta1")
_RESPONSE = "ConversionResponse"
_REVIEWS = ReviewKind(
    _GROUP,
    _KIND,
    {
        "response": ("ConversionReview", "v1.ConversionResponse"),
        "response.uid": (_RESPONSE, "types.UID"),
        "response.convertedObjects": (_RESPONSE, "[]runtime.RawExtension"),
        "response.result": (_RESPONSE, "v1.Status"),
        "response.result.status": ("Status", "string"),
        "response.result.message": ("Status", "string"),
    },
)
_CHECKS = {"labels": labels.of("labels"), "annotations": metadata.check_annotations}
"""What a webhook may change, and what is asked of it."""


class Conversion(Struct, frozen=True):
    """How the objects of a definition are converted."""

    client: WebhookClient
    review_version: str
    """That of the reviews that are sent; empty where the webhook knows none of the server's."""

    @classmethod
    def read(cls, definition: JsonObject) -> Conversion | None:
        """A definition's conversion; None where nothing is converted but the version."""
        conversion = member(member(definition, "spec"), "conversion")
        if text(conversion, "strategy") != "Webhook":
            return None
        hook = member(conversion, "webhook")
        written = texts(hook, "conversionReviewVersions")
        version = next((each for each in written if each in _VERSIONS), "")
        return cls(WebhookClient.read(member(hook, "clientConfig")), version)


class _Result(Struct, frozen=True):
    status: str | None = None
    message: str | None = None


class _Response(Struct, frozen=True, rename="camel"):
    uid: str | None = None
    converted_objects: list[msgspec.Raw] | None = None
    result: _Result | None = None


class _Answer(Struct, frozen=True, rename="camel"):
    kind: str | None = None
    api_version: str | None = None
    response: _Response | None = None


_read = msgspec.json.Decoder(_Answer).decode


def review_of(conversion: Conversion, sent: Sequence[JsonObject], wanted: str, uid: str) -> JsonObject:
    """The review that asks for objects in another version."""
    objects: list[Json] = [with_metadata(obj, resourceVersion=None) for obj in sent]
    return {
        "kind": _KIND,
        "apiVersion": f"{_GROUP}/{conversion.review_version}",
        "request": {"uid": uid, "desiredAPIVersion": wanted, "objects": objects},
        "response": {"uid": "", "convertedObjects": None, "result": {"metadata": {}}},
    }


def failure(of: JsonObject, why: str) -> str:
    """That the conversion of this object failed."""
    return f"conversion webhook for {_named(of)} failed: {why}"


def converted(
    conversion: Conversion, sent: Sequence[JsonObject], wanted: str, uid: str, body: bytes
) -> list[JsonObject] | str:
    """The converted objects in an answer, or why there are none."""
    unusable = unreadable(_REVIEWS, conversion.review_version, body)
    if unusable:
        return failure(sent[0], unusable)
    try:
        answer = _read(body)
    except msgspec.ValidationError as error:
        return failure(sent[0], unfit(_REVIEWS, error))
    found = _objects(conversion, answer, uid)
    if isinstance(found, str):
        return failure(sent[0], found)
    if len(found) != len(sent):
        return f"conversion webhook for {_named(sent[0])} returned {len(found)} objects, expected {len(sent)}"
    made: list[JsonObject] = []
    for before, after in zip(sent, found, strict=True):
        restored = _restored(before, after, wanted)
        if isinstance(restored, str):
            return f"conversion webhook for {_named(before)} returned {restored}"
        made.append(restored)
    return made


def _objects(conversion: Conversion, answer: _Answer, uid: str) -> list[JsonObject] | str:
    response = answer.response
    if conversion.review_version == "v1":
        wanted = f"{_GROUP}/v1, Kind={_KIND}"
        got = f"{answer.api_version or '/'}, Kind={answer.kind or ''}"
        if wanted != got:
            return f"expected webhook response of {wanted}, got {got}"
    if response is None:
        return "no response provided"
    if conversion.review_version == "v1" and (response.uid or "") != uid:
        return f"expected response.uid={quote(uid)}, got {quote(response.uid or '')}"
    result = response.result or _Result()
    if result.status != "Success":
        return result.message or f"response.result.status was '{result.status or ''}', not 'Success'"
    return [_object(raw) for raw in response.converted_objects or ()]


def _object(raw: msgspec.Raw) -> JsonObject:
    """A converted object; an empty one where it is no object."""
    found: Json = msgspec.json.decode(raw)
    return found if isinstance(found, dict) else {}


def _restored(before: JsonObject, after: JsonObject, wanted: str) -> JsonObject | str:
    """A converted object with the metadata that it had, or what is wrong with it."""
    got, kind, own = text(after, "apiVersion"), text(after, "kind"), text(before, "kind")
    if got != wanted:
        shown = str(GroupVersion.parse(got))
        return f"invalid object at index 0: invalid groupVersion (expected {wanted}, received {shown})"
    if kind != own:
        return f"invalid object at index 0: invalid kind (expected {own}, received {kind})"
    was, now = member(before, "metadata"), member(after, "metadata")
    for name, word in (("name", "name"), ("namespace", "namespace"), ("uid", "UID")):
        if text(was, name) != text(now, name):
            return f"invalid object: must have the same {word}: {text(was, name)} != {text(now, name)}"
    if not isinstance(after.get("metadata"), dict):
        return "invalid metadata: missing metadata in converted object"
    kept = {name: value for name, value in was.items() if name not in _CHECKS}
    for field in _CHECKS:
        fault = _free(field, now.get(field), was.get(field))
        if fault:
            return f"invalid metadata: {fault}"
        if now.get(field) is not None:
            kept[field] = now[field]
    return {**after, "metadata": kept}


def _free(field: str, now: Json, was: Json) -> str:
    """What is wrong with labels or annotations that a webhook has changed."""
    if now is None or now == was:
        return ""
    if not isinstance(now, dict):
        return f"invalid metadata.{field} of type {_go_type(now)} in converted object"
    for name, value in now.items():
        if not isinstance(value, str):
            return f"metadata.{field}[{name}] must be a string, but is {_go_type(value)} in converted object"
    found = _CHECKS[field]({field: now}, Scope(WALKS, "", {}), ROOT / "metadata").violations
    told = [f"{violation.path}: {violation.reason}" for violation in found]
    return told[0] if len(told) == 1 else f"[{', '.join(told)}]" if told else ""


def _go_type(value: Json) -> str:
    if isinstance(value, bool):
        return "bool"
    names = {str: "string", int: "int64", float: "float64", list: "[]interface {}", dict: "map[string]interface {}"}
    return names.get(type(value), "<nil>")


def _named(of: JsonObject) -> str:
    version = text(of, "apiVersion")
    return f"{version if '/' in version else f'/{version}'}, Kind={text(of, 'kind')}"
