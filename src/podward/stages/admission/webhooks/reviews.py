"""What a webhook is sent, and what its answer means.

Specification: Kubernetes, k8s.io/apiserver, pkg/admission/plugin/webhook/request and errors. A review of v1 must answer
the one that was sent, and a patch must say what it is; of v1beta1 neither was ever asked.
"""

from __future__ import annotations

import binascii
import re

import msgspec
from msgspec import Struct

from podward.api.caller import User
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.status import Status, StatusDetails
from podward.schema.godecode.base64 import base64_error
from podward.schema.patches.json_patch import undecodable
from podward.schema.patches.reading import UnreadableError, read_json
from podward.schema.review_answers import ReviewKind, unfit, unreadable
from podward.stages.admission.webhooks.hooks import Hook
from podward.stages.admission.webhooks.matching import Invocation, Served, own

_GROUP, _KIND = "admission.k8s.io", "AdmissionReview"
_VERSIONS = ("v1", "v1beta1")
_JSON_PATCH = "JSONPatch"
_NO_VERSION = "webhook does not accept known AdmissionReview versions (v1, v1beta1)"
_LEAST_CODE = 400
_CONTROL = re.compile("[\\x00-\\x1f\\x7f-\\x9f]")
"""Characters that a header cannot have; the warnings with one are dropped."""
_RESPONSE = "AdmissionResponse"
_REVIEWS = ReviewKind(
    _GROUP,
    _KIND,
    {
        "response": ("AdmissionReview", "v1.AdmissionResponse"),
        "response.uid": (_RESPONSE, "types.UID"),
        "response.allowed": (_RESPONSE, "bool"),
        "response.status": (_RESPONSE, "v1.Status"),
        "response.status.code": ("Status", "int32"),
        "response.status.message": ("Status", "string"),
        "response.status.reason": ("Status", "v1.StatusReason"),
        "response.patch": (_RESPONSE, "[]uint8"),
        "response.patchType": (_RESPONSE, "v1.PatchType"),
        "response.auditAnnotations": (_RESPONSE, "map[string]string"),
        "response.auditAnnotations[]": (_RESPONSE, "string"),
        "response.warnings": (_RESPONSE, "[]string"),
        "response.warnings[]": (_RESPONSE, "string"),
    },
)


class Failure(Struct, frozen=True):
    """Why an answer cannot be used, in the server's words."""

    why: str


class Review(Struct, frozen=True):
    """What is sent: the document, its version, and the uid that the answer must have."""

    document: JsonObject
    version: str
    uid: str


class Verdict(Struct, frozen=True):
    """What a webhook says: a refusal, or else a patch, empty where it changes nothing."""

    refused: Status | None = None
    patch: tuple[JsonObject, ...] = ()
    warnings: tuple[str, ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()


def review_of(of: Invocation, uid: str) -> Review | Failure:
    """The review of a request."""
    hook, asked, served = of.hook, of.asked, of.served
    version = next((each for each in hook.review_versions if each in _VERSIONS), "")
    if not version:
        return Failure(f"could not create admission objects: {_NO_VERSION}")
    mine = own(asked)
    request: JsonObject = {
        "uid": uid,
        "kind": kind_words(served),
        "resource": resource_words(served),
        "requestKind": kind_words(mine),
        "requestResource": resource_words(mine),
    }
    if asked.subresource:
        request["subResource"] = request["requestSubResource"] = asked.subresource
    for name, value in (("name", asked.name), ("namespace", asked.namespace)):
        if value:
            request[name] = value
    request |= {
        "operation": asked.operation.value,
        "userInfo": _user(asked.user),
        "object": asked.object,
        "oldObject": asked.old_object,
        "dryRun": asked.dry_run,
        "options": asked.options,
    }
    return Review({"kind": _KIND, "apiVersion": f"{_GROUP}/{version}", "request": request}, version, uid)


def kind_words(served: Served) -> JsonObject:
    """The kind as a GroupVersionKind."""
    of = served.kind_version
    return {"group": of.group, "version": of.version, "kind": served.kind}


def resource_words(served: Served) -> JsonObject:
    """The resource as a GroupVersionResource."""
    return {"group": served.group, "version": served.version, "resource": served.resource}


def _user(user: User) -> JsonObject:
    made: JsonObject = {"username": user.username} if user.username else {}
    if user.uid:
        made["uid"] = user.uid
    if user.groups:
        made["groups"] = [*user.groups]
    if user.extra:
        made["extra"] = {name: [*values] for name, values in user.extra.items()}
    return made


class _Result(Struct, frozen=True):
    code: int | None = None
    message: str | None = None
    reason: str | None = None
    details: StatusDetails | None = None


class _Response(Struct, frozen=True, rename="camel"):
    uid: str | None = None
    allowed: bool | None = None
    status: _Result | None = None
    patch: str | None = None
    patch_type: str | None = None
    audit_annotations: dict[str, str] | None = None
    warnings: list[str] | None = None


class _Answer(Struct, frozen=True, rename="camel"):
    kind: str | None = None
    api_version: str | None = None
    response: _Response | None = None


_read = msgspec.json.Decoder(_Answer).decode


def verdict_of(hook: Hook, review: Review, body: bytes, *, mutating: bool) -> Verdict | Failure:
    """What an answer says, or why it says nothing."""
    found = _response(review, body, mutating=mutating)
    if isinstance(found, Failure):
        return found
    annotations = tuple((f"{hook.name}/{key}", value) for key, value in (found.audit_annotations or {}).items())
    warnings = tuple(each for each in found.warnings or () if each and not _CONTROL.search(each))
    if not found.allowed:
        return Verdict(_denial(hook.name, found.status or _Result()), (), warnings, annotations)
    if not mutating or not found.patch:
        return Verdict(None, (), warnings, annotations)
    patch = _patch(found, review.version)
    return patch if isinstance(patch, Failure) else Verdict(None, patch, warnings, annotations)


def _response(review: Review, body: bytes, *, mutating: bool) -> _Response | Failure:
    """What is in an answer, if it is one."""
    unusable = unreadable(_REVIEWS, review.version, body)
    if unusable:
        return Failure(f"failed to call webhook: {unusable}")
    try:
        answer = _read(body)
    except msgspec.ValidationError as error:
        return Failure(f"failed to call webhook: {unfit(_REVIEWS, error)}")
    found = answer.response
    if found is None:
        return Failure("received invalid webhook response: webhook response was absent")
    no_base64 = base64_error(found.patch) if found.patch else None
    if no_base64 is not None:
        return Failure(f"failed to call webhook: {no_base64}")
    fault = _fault(review, answer, found, mutating=mutating) if review.version == "v1" else ""
    return Failure(f"received invalid webhook response: {fault}") if fault else found


def _fault(review: Review, answer: _Answer, found: _Response, *, mutating: bool) -> str:
    """Why an answer of v1 is no answer to this review."""
    if (uid := found.uid or "") != review.uid:
        return f"expected response.uid={quote(review.uid)}, got {quote(uid)}"
    wanted, got = f"{_GROUP}/v1, Kind={_KIND}", group_version_kind(answer.api_version or "", answer.kind or "")
    if wanted != got:
        return f"expected webhook response of {wanted}, got {got}"
    return _fault_of_patch(found.patch, found.patch_type, mutating=mutating)


def _fault_of_patch(patch: str | None, of_type: str | None, *, mutating: bool) -> str:
    if not mutating:
        if patch:
            return "validating webhook may not return response.patch"
        return "validating webhook may not return response.patchType" if of_type is not None else ""
    if patch and of_type is None:
        return "webhook returned response.patch but not response.patchType"
    if not patch and of_type is not None:
        return "webhook returned response.patchType but not response.patch"
    return 'webhook returned invalid response.patchType of ""' if of_type == "" else ""


def group_version_kind(api_version: str, kind: str) -> str:
    """A group, version and kind as Go prints them."""
    return f"{api_version if '/' in api_version else f'/{api_version}'}, Kind={kind}"


def _patch(found: _Response, version: str) -> tuple[JsonObject, ...] | Failure:
    encoded = found.patch or ""
    if version == "v1" and found.patch_type != _JSON_PATCH:
        return Failure(f"unsupported patch type {quote(found.patch_type or '')}")
    try:
        patch, _ = read_json(binascii.a2b_base64(encoded))
    except UnreadableError as error:
        return Failure(f"received undecodable patch in webhook response: {error}")
    if fault := undecodable(patch, "jsonpatch.Patch", "jsonpatch.Operation"):
        return Failure(f"received undecodable patch in webhook response: {fault}")
    return tuple(each if isinstance(each, dict) else {} for each in patch) if isinstance(patch, list) else ()


def _denial(name: str, result: _Result) -> Status:
    """A webhook's refusal: it chooses the code and the words, but it cannot call it a success."""
    denied = f"admission webhook {quote(name)} denied the request"
    said = result.message or result.reason
    return Status(
        max(result.code or 0, _LEAST_CODE),
        result.reason or "",
        f"{denied}: {said}" if said else f"{denied} without explanation",
        result.details,
    )


def no_dry_run(hook: Hook) -> Failure | str:
    """Why a webhook cannot be asked in a dry run: a sentence that is an answer, or a failure to call it."""
    if hook.side_effects is None:
        return Failure("Webhook SideEffects is nil")
    if hook.side_effects in {"None", "NoneOnDryRun"}:
        return ""
    return f"admission webhook {quote(hook.name)} does not support dry run"
