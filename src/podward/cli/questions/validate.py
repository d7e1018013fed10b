"""`podward batch validate`: what the API server says about a new Pod, to the letter."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward.api.core import Pod
from podward.api.json_value import Json, JsonObject
from podward.documents.raw_fields import member, objects
from podward.errors import InputError
from podward.schema import defaulting, warnings
from podward.schema.godecode.decoding import GoDecodeError, decode
from podward.schema.godecode.encoding import encode
from podward.schema.godecode.tree import read
from podward.schema.validation import pod as validation
from podward.schema.validation.message import invalid_message
from podward.schema.view import pod_view
from podward.stages.admission.order import completed


class ValidateQuestion(Struct, frozen=True, rename="camel"):
    """`podward batch validate`: a Pod as it is sent, and whether the server allows privileged containers."""

    pod: msgspec.Raw = msgspec.Raw()
    allow_privileged: bool | None = None


class Undecoded(Struct, frozen=True, rename="camel"):
    """The Pod is not even read."""

    decode_error: str
    strict_errors: tuple[str, ...] = ()


class PreparedSecurity(Struct, frozen=True, rename="camel"):
    """The security fields that the server validates and stores: after defaulting and PrepareForCreate."""

    annotations: Json
    pod: Json
    containers: dict[str, Json]
    host_users: Json


class ValidateAnswer(Struct, frozen=True, rename="camel"):
    """What the server says, and what it makes of the Pod.

    `errors`: of validation after defaulting; `apiserver_errors`: after PrepareForCreate too, and `message` is their
    text as a client sees it. `warnings` are given only with a Pod that is valid.
    """

    strict_errors: tuple[str, ...]
    errors: tuple[str, ...]
    apiserver_errors: tuple[str, ...]
    message: str
    warnings: tuple[str, ...] | None
    defaulted: JsonObject
    prepared_security: PreparedSecurity


def answer(line: bytes) -> ValidateAnswer | Undecoded:
    """The API server's answer to a Pod that is to be created."""
    question = msgspec.json.decode(line, type=ValidateQuestion)
    if not bytes(question.pod):
        raise InputError("there is no Pod in this question", where="pod")
    try:
        decoded = decode(read(bytes(question.pod)), "Pod")
    except GoDecodeError as error:
        return Undecoded(str(error))
    defaulted, _ = defaulting.defaulted(decoded.value)
    converted, _ = defaulting.converted(decoded.value)
    prepared = completed(decoded.value).stored
    allow_privileged = question.allow_privileged is not False
    errors = _errors(converted, allow_privileged=allow_privileged)
    final = _errors(prepared, allow_privileged=allow_privileged)
    pod = pod_view(prepared)
    return ValidateAnswer(
        strict_errors=decoded.strict_errors,
        errors=errors,
        apiserver_errors=final,
        message=invalid_message("Pod", pod.metadata.name or "", final),
        warnings=None if final else warnings.on_create(pod, prepared),
        defaulted=encode(defaulted, "Pod"),
        prepared_security=_prepared_security(pod, prepared),
    )


def _errors(raw: JsonObject, *, allow_privileged: bool) -> tuple[str, ...]:
    found = validation.errors(pod_view(raw), raw, allow_privileged=allow_privileged)
    return tuple(f"{violation.path}: {violation.reason}" for violation in found.violations)


def _prepared_security(pod: Pod, raw: JsonObject) -> PreparedSecurity:
    spec = member(raw, "spec")
    containers: dict[str, Json] = {}
    for name in ("containers", "initContainers", "ephemeralContainers"):
        for index, container in enumerate(objects(spec, name)):
            context = container.get("securityContext")
            containers[f"{name}[{index}]"] = encode(context, "SecurityContext") if isinstance(context, dict) else None
    context = spec.get("securityContext")
    return PreparedSecurity(
        annotations=member(raw, "metadata").get("annotations"),
        pod=encode(context, "PodSecurityContext") if isinstance(context, dict) else None,
        containers=containers,
        host_users=pod.spec.host_users,
    )
