"""Asking a webhook that a flag names, and asking again where that may help.

Specification: Kubernetes, k8s.io/apiserver, pkg/util/webhook: five times at most, half a second apart and then half as
much more each time, and only where the connection was broken or the webhook said that it had failed for a moment.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from podward.server.webhooks.client import NoAnswer, Remote, Webhooks

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_MOST = 1 << 20
_ATTEMPTS, _PAUSE, _LONGER = 5, 0.5, 1.5
_PASSING = frozenset((429, 500, 504))
"""Answers after which it is tried again."""


async def answer_of(webhooks: Webhooks, remote: Remote, document: JsonObject, timeout: float) -> bytes | NoAnswer:  # noqa: ASYNC109 - of each attempt, not of all
    """The answer, or why there was none the last time."""
    pause = _PAUSE
    for _ in range(_ATTEMPTS - 1):
        found = await webhooks.send(remote, document, timeout, _MOST)
        if not isinstance(found, NoAnswer) or not _may_pass(found):
            return found
        await asyncio.sleep(pause)
        pause *= _LONGER
    return await webhooks.send(remote, document, timeout, _MOST)


def _may_pass(found: NoAnswer) -> bool:
    if found.status is not None:
        return found.status.code in _PASSING
    return found.why.endswith("connection reset by peer")
