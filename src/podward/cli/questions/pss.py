"""`podward batch pss`: what a Pod Security Standard has against one Pod."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward.api.core import Pod
from podward.api.json_value import JsonObject
from podward.cli.questions.preparing import prepared
from podward.documents.document import Document
from podward.errors import InputError
from podward.policy.pss.standard import LEVEL_RULE, VERSION_RULE, Standard, parse_level, parse_version
from podward.policy.pss.standards import evaluate
from podward.policy.pss.verdict import refusal_text
from podward.policy.pss.wording import details, reasons
from podward.schema import strict
from podward.schema.view import pod_view


class PssQuestion(Struct, frozen=True):
    """A Pod, and the level and version that it is held to.

    `prepare`: `none` takes the Pod as it is, `defaults` applies API defaulting, `create` also what the registry does.
    """

    pod: msgspec.Raw
    level: str
    version: str = "latest"
    prepare: str = "none"


class PssAnswer(Struct, frozen=True):
    """The verdict: `reasons` and `details` of each check that is violated, joined in `reason` and `detail`.

    `message` is the API server's refusal; empty where the Pod is allowed.
    """

    allowed: bool
    reason: str
    detail: str
    reasons: tuple[str, ...]
    details: tuple[str, ...]
    message: str


def answer(line: bytes) -> PssAnswer:
    """What the standard has against the Pod."""
    question = msgspec.json.decode(line, type=PssQuestion)
    standard = _standard(question)
    pod = _prepared(question)
    results = evaluate(standard.level, standard.version, pod)
    return PssAnswer(
        allowed=not results,
        reason=reasons(results),
        detail=details(results),
        reasons=tuple(result.reason for result in results),
        details=tuple(result.detail for result in results),
        message=refusal_text(pod.metadata.name or "", standard, results) if results else "",
    )


def _standard(question: PssQuestion) -> Standard:
    level, version = parse_level(question.level), parse_version(question.version)
    if level is None:
        raise InputError(f"{question.level!r} {LEVEL_RULE}", where="level")
    if version is None:
        raise InputError(f"{question.version!r} {VERSION_RULE}", where="version")
    return Standard(level, version)


def _prepared(question: PssQuestion) -> Pod:
    """The Pod, typed; fields that nobody knows are nobody's business here, values of a wrong type are refused."""
    raw: JsonObject = msgspec.json.decode(question.pod, type=dict)
    whole = Document("pod", {**raw, "apiVersion": "v1", "kind": "Pod"})
    wrong = next((mistake for mistake in strict.mistakes(whole) if not mistake.unknown), None)
    if wrong is not None:
        raise InputError(wrong.what, where=f"pod.{wrong.path}")
    return pod_view(prepared(raw, question.prepare))
