"""A request of the CRI that is refused: a violation that has a gRPC code."""

from __future__ import annotations

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.decision import Decision, Origin, Source, Value, Violation
from podward.path import Path

RULE = Source(Origin.RULE, "CRI v1")


class RefusedRequest(Violation, frozen=True, gc=False):
    """Why a request is not carried out; `code` is what a client is answered."""

    code: CriCode


def refuse_request(
    place: Path, value: Value, reason: str, code: CriCode = CriCode.INVALID_ARGUMENT, source: Source = RULE
) -> Decision:
    """A Decision of one refusal."""
    return Decision(violations=(RefusedRequest(place, value, reason, source, code),))


def refusal_of(decision: Decision) -> CriRefusal | None:
    """The answer to a request that this Decision refuses: the first violation. What has no code is the request's fault.

    None if nothing is refused.
    """
    if not decision.violations:
        return None
    first = decision.violations[0]
    code = first.code if isinstance(first, RefusedRequest) else CriCode.INVALID_ARGUMENT
    return CriRefusal(code, first.reason)


def is_plain(path: str) -> bool:
    """Whether a path leads where it says: no `..`, and nothing that no path can have."""
    return ".." not in path.split("/") and "\0" not in path
