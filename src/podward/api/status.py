"""What the API server answers when it does not answer with an object: metav1.Status, as a value.

Specification: Kubernetes, k8s.io/apimachinery, pkg/api/errors. Each constructor is named for the one there, and has
its sentence. A refusal is returned, never raised.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
from msgspec import Struct

from podward.api.admission import GroupResource
from podward.api.gotext import quote
from podward.decision import Decision

MEANINGS = {
    "Required value": "FieldValueRequired",
    "Invalid value": "FieldValueInvalid",
    "Not found": "FieldValueNotFound",
    "Duplicate value": "FieldValueDuplicate",
    "Unsupported value": "FieldValueNotSupported",
    "Forbidden": "FieldValueForbidden",
    "Too long": "FieldValueTooLong",
    "Too many": "FieldValueTooMany",
    "Internal error": "InternalError",
}
"""The reason of a cause, by the words with which an error about a field begins."""
_OTHER_TYPE = " in body must be of type "
"""The words of errors about values of another type than the schema of a custom resource has."""


class StatusCause(Struct, frozen=True, omit_defaults=True):
    """One of several things that are wrong."""

    reason: str = ""
    message: str = ""
    field: str = ""


class StatusDetails(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What a Status is about. `kind` is a resource's name, or a kind where an object is invalid."""

    name: str = ""
    group: str = ""
    kind: str = ""
    uid: str = ""
    causes: tuple[StatusCause, ...] = ()
    retry_after_seconds: int = 0


class Status(Struct, frozen=True):
    """A refusal, or the report of a success. `code` 0 is a report that has none; `reason` may be empty.

    `token`: where a list that became too old can go on.
    """

    code: int
    reason: str = ""
    message: str = ""
    details: StatusDetails | None = None
    success: bool = False
    token: str = ""

    @property
    def http_code(self) -> int:
        """The code of the answer that carries it."""
        return self.code or 200


class _Written(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The members of a Status in the server's order."""

    kind: str | None = None
    api_version: str | None = None
    metadata: dict[str, str] | None = None
    status: str = ""
    message: str = ""
    reason: str = ""
    details: StatusDetails | None = None
    code: int = 0


def encoded(status: Status) -> bytes:
    """The JSON text of a Status."""
    word = "Success" if status.success else "Failure"
    metadata = {"continue": status.token} if status.token else {}
    written = _Written("Status", "v1", metadata, word, status.message, status.reason, status.details, status.code)
    return msgspec.json.encode(written)


def _about(resource: GroupResource, name: str, *, retry: int = 0) -> StatusDetails:
    return StatusDetails(name=name, group=resource.group, kind=resource.resource, retry_after_seconds=retry)


def not_found(resource: GroupResource, name: str) -> Status:
    """There is no such object."""
    return Status(404, "NotFound", f"{resource} {quote(name)} not found", _about(resource, name))


def already_exists(resource: GroupResource, name: str) -> Status:
    """There is one of that name."""
    return Status(409, "AlreadyExists", f"{resource} {quote(name)} already exists", _about(resource, name))


def generated_name_taken(resource: GroupResource, name: str) -> Status:
    """None of the names that were tried is free."""
    sentence = (
        f"{resource} {quote(name)} already exists, the server was not able to generate a unique name for the object"
    )
    return Status(409, "AlreadyExists", sentence, _about(resource, name, retry=1))


def conflict(resource: GroupResource, name: str, why: str) -> Status:
    """The object is not what the caller thinks it is."""
    sentence = f"Operation cannot be fulfilled on {resource} {quote(name)}: {why}"
    return Status(409, "Conflict", sentence, _about(resource, name))


def apply_conflict(causes: Iterable[StatusCause], message: str) -> Status:
    """Other managers own what is applied."""
    return Status(409, "Conflict", message, StatusDetails(causes=tuple(causes)))


def unauthorized(reason: str = "Unauthorized") -> Status:
    """Nobody knows who the caller is."""
    return Status(401, "Unauthorized", reason)


def forbidden(resource: GroupResource, name: str, why: str) -> Status:
    """The caller may not do it, or admission refuses it."""
    if not resource.resource and not resource.group:
        sentence = f"forbidden: {why}"
    elif not name:
        sentence = f"{resource} is forbidden: {why}"
    else:
        sentence = f"{resource} {quote(name)} is forbidden: {why}"
    return Status(403, "Forbidden", sentence, _about(resource, name))


def bad_request(why: str) -> Status:
    """The request makes no sense."""
    return Status(400, "BadRequest", why)


def gone(why: str) -> Status:
    """What was asked for is not there any more."""
    return Status(410, "Gone", why)


def expired(why: str) -> Status:
    """A version or a token is too old."""
    return Status(410, "Expired", why)


def too_many_requests(message: str, retry: int) -> Status:
    """The caller must wait."""
    return Status(429, "TooManyRequests", message, StatusDetails(retry_after_seconds=retry))


def service_unavailable(why: str) -> Status:
    """The server cannot do it now."""
    return Status(503, "ServiceUnavailable", why)


def internal_error(why: str) -> Status:
    """Something of the server's own failed."""
    return Status(
        500, "InternalError", f"Internal error occurred: {why}", StatusDetails(causes=(StatusCause(message=why),))
    )


def unexplained(message: str) -> Status:
    """An error that the real server has not given a reason."""
    return Status(500, "", message)


def timeout(message: str, retry: int) -> Status:
    """It took too long."""
    return Status(504, "Timeout", f"Timeout: {message}", StatusDetails(retry_after_seconds=retry))


def too_large(message: str) -> Status:
    """The body is too large."""
    return Status(413, "RequestEntityTooLarge", f"Request entity too large: {message}")


def not_acceptable(accepted: Iterable[str]) -> Status:
    """No form that the caller accepts is served."""
    return Status(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(accepted)}")


def unsupported_media_type(accepted: Iterable[str]) -> Status:
    """The body's type is not read here."""
    listed = ", ".join(accepted)
    sentence = f"the body of the request was in an unknown format - accepted media types include: {listed}"
    return Status(415, "UnsupportedMediaType", sentence)


RESOURCE_NOT_FOUND = Status(404, "NotFound", "the server could not find the requested resource", StatusDetails())
"""The answer of the router where nothing is served."""


def method_not_supported(resource: GroupResource, verb: str) -> Status:
    """A subresource of a custom resource has no such verb."""
    sentence = f"{verb} is not supported on resources of kind {quote(str(resource))}"
    return Status(405, "MethodNotAllowed", sentence, StatusDetails(group=resource.group, kind=resource.resource))


METHOD_NOT_ALLOWED = Status(
    405, "MethodNotAllowed", "the server does not allow this method on the requested resource", StatusDetails()
)
"""The answer of the router where a path has other methods."""

UNSUPPORTED_BY_ROUTE = Status(415, "UnsupportedMediaType", "415: Unsupported Media Type", StatusDetails())
"""The answer of the router to a patch of no type."""


def unroutable_accept(produced: Iterable[str]) -> Status:
    """The answer of the router where no form is accepted that a route has."""
    sentence = f"406: Not Acceptable\n\nAvailable representations: {', '.join(produced)}"
    return Status(406, "NotAcceptable", sentence, StatusDetails())


def invalid(kind: str, group: str, name: str, decision: Decision) -> Status:
    """What is wrong with an object, field by field: the violations of a Decision."""
    return invalid_for(
        kind, group, name, [(str(violation.path), violation.reason) for violation in decision.violations]
    )


def invalid_for(kind: str, group: str, name: str, faults: Iterable[tuple[str, str]]) -> Status:
    """What is wrong with an object: pairs of a field and the error about it."""
    listed = list(faults)
    causes = tuple(StatusCause(meaning(error), error, field) for field, error in listed)
    once = list(dict.fromkeys(f"{field}: {error}" for field, error in listed))
    qualified = f"{kind}.{group}" if group else kind
    text = once[0] if len(once) == 1 else f"[{', '.join(once)}]"
    sentence = f"{qualified} {quote(name)} is invalid" + (f": {text}" if once else "")
    return Status(422, "Invalid", sentence, StatusDetails(name=name, group=group, kind=kind, causes=causes))


def meaning(error: str) -> str:
    """The reason of a cause, from the words with which the error begins."""
    if _OTHER_TYPE in error:
        return "FieldValueTypeInvalid"
    return MEANINGS.get(error.partition(":")[0], "FieldValueInvalid")


def success(*, name: str, resource: GroupResource, uid: str) -> Status:
    """An object is gone."""
    return Status(
        0, details=StatusDetails(name=name, group=resource.group, kind=resource.resource, uid=uid), success=True
    )
