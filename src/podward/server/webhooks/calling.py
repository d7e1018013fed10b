"""One admission webhook is asked: sent a review, and its answer is read."""

from __future__ import annotations

from msgspec import Struct

from podward.api import status
from podward.api.gotext import quote
from podward.api.status import Status
from podward.server.request import Request
from podward.server.webhooks.client import NoAnswer, Webhooks
from podward.server.world import uid
from podward.stages.admission.webhooks.hooks import Hook
from podward.stages.admission.webhooks.matching import Invocation
from podward.stages.admission.webhooks.reviews import (
    Failure,
    Verdict,
    no_dry_run,
    review_of,
    verdict_of,
)

_MOST = 16 << 20
"""How many bytes an answer may have: a patch is at most as long as several of the longest objects."""


class Broken(Struct, frozen=True):
    """The webhook could not be asked, or its answer cannot be used."""

    why: str


async def ask(webhooks: Webhooks, of: Invocation, request: Request, *, mutating: bool) -> Verdict | Broken | Status:
    """What a webhook says of a request."""
    hook = of.hook
    if of.asked.dry_run:
        fault = no_dry_run(hook)
        if isinstance(fault, Failure):
            return _broken(hook, fault.why)
        if fault:
            return status.bad_request(fault)
    review = review_of(of, uid())
    if isinstance(review, Failure):
        return _broken(hook, review.why)
    answer = await webhooks.post(hook.client, review.document, hook.timeout, _MOST)
    if isinstance(answer, NoAnswer):
        return _broken(hook, f"failed to call webhook: {answer.why}")
    verdict = verdict_of(hook, review, answer, mutating=mutating)
    if isinstance(verdict, Failure):
        return _broken(hook, verdict.why)
    for warning in verdict.warnings:
        request.warn(warning)
    for name, value in verdict.annotations:
        annotate(request, name, value)
    return verdict


def _broken(hook: Hook, why: str) -> Broken:
    return Broken(f"failed calling webhook {quote(hook.name)}: {why}")


def annotate(request: Request, name: str, value: str) -> None:
    """Note something for the audit log: once, and only under a name that it takes."""
    prefix, slash, rest = name.partition("/")
    if slash and prefix and rest and "/" not in rest:
        request.audit.setdefault(name, value)
