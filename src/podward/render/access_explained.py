"""The answer of `podward explain access` for people: the verdict, who asks, and what each authorizer said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.render.escaping import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from podward.api.access_explanation import AccessExplanation, AuthorizerAnswer, Caller, Cited


def text(explained: AccessExplanation) -> str:
    """The whole answer, in lines."""
    return "".join(f"{printable(line)}\n" for line in _lines(explained))


def _lines(explained: AccessExplanation) -> Iterator[str]:
    verdict = "allowed" if explained.allowed else "not allowed"
    by = f" by {explained.decided_by}" if explained.decided_by else ": no authorizer allows it"
    yield f"{verdict}{by}: {explained.caller.username} wants to {explained.asked}"
    yield from _caller(explained.caller)
    yield "authorizers, in their order:"
    width = max((len(each.authorizer) for each in explained.authorizers), default=0)
    for each in explained.authorizers:
        yield from _answer(each, width)
    if explained.admission:
        yield "admission plugins that look at it:" if explained.allowed else "admission plugins that it does not reach:"
        yield from (f"  {each.plugin} ({each.phase})" for each in explained.admission)
    else:
        yield "admission: no plugin looks at it"
    yield from _recorded(explained)
    yield from (f"note: {note}" for note in explained.notes)
    for index, remedy in enumerate(explained.remedies):
        yield f"{'and:' if index else 'do: '} {remedy}"


def _caller(caller: Caller) -> Iterator[str]:
    groups = ", ".join(caller.groups) or "none"
    yield f"  groups: {groups}"
    if caller.uid:
        yield f"  uid: {caller.uid}"
    if caller.authenticator:
        yield f"  named by: {caller.authenticator}"
    if caller.acts_for:
        yield f"  impersonated by: {caller.acts_for}"


def _answer(answer: AuthorizerAnswer, width: int) -> Iterator[str]:
    yield f"  {answer.authorizer:{width}}  {answer.opinion}".rstrip()
    if answer.reason:
        yield f"  {'':{width}}  reason: {answer.reason}"
    for cited in answer.cited:
        yield f"  {'':{width}}  {_cited(cited)}"
    for cited in answer.near:
        yield f"  {'':{width}}  near: {_cited(cited)}"


def _cited(cited: Cited) -> str:
    return f"{cited.where}: {cited.what}" if cited.where else cited.what


def _recorded(explained: AccessExplanation) -> Iterator[str]:
    found = explained.recorded
    if found is None:
        return
    said = found.decision or "nothing about it"
    code = f", answered with {found.code}" if found.code else ""
    yield f"recorded: {found.where}: {said}{code}" + (f": {found.reason}" if found.reason else "")
    if not found.agrees:
        yield "  this is not what follows from what is known here: roles may have changed since, or are not all here"
