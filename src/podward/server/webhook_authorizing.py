"""The Webhook authorizer of a server: the way to the webhook, and trying again where that may help.

Specification: Kubernetes, k8s.io/apiserver, pkg/util/webhook: five times at most, half a second apart and then half as
much more each time, and only where the connection was broken or the webhook said that it had failed for a moment. What
the rule makes of answers is `podward.access.webhook_authorizer`.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from podward.access.webhook_authorizer import WebhookAuthorizer
from podward.api.authorization import Answer
from podward.server.webhooks import kubeconfig
from podward.server.webhooks.client import NoAnswer, Webhooks

if TYPE_CHECKING:
    from podward.access.authorizer_entries import WebhookSettings
    from podward.access.known_rules import KnownRules
    from podward.api.authorization import Attributes
    from podward.api.caller import User
    from podward.api.json_value import JsonObject

_MOST = 1 << 20
_ATTEMPTS, _PAUSE, _LONGER = 5, 0.5, 1.5
_PASSING = frozenset((429, 500, 504))
"""Answers after which it is tried again."""
_log = logging.getLogger("podward.server")


class Webhook:
    """One authorization webhook."""

    def __init__(self, name: str, settings: WebhookSettings) -> None:
        """Raises InputError for a kubeconfig that leads nowhere."""
        self._rule = WebhookAuthorizer(name, settings)
        self._remote = kubeconfig.read(settings.kubeconfig)
        self._webhooks: Webhooks | None = None

    def reach_by(self, webhooks: Webhooks) -> None:
        """Use these connections."""
        self._webhooks = webhooks

    async def authorize(self, wanted: Attributes) -> Answer:
        """What the webhook says."""
        asking = self._rule.asking(wanted, time.monotonic())
        if isinstance(asking, Answer):
            return asking
        found = await self._asked(asking.document)
        if isinstance(found, str):
            _log.error("authorization webhook %s: %s", self._rule.name, found)
            return self._rule.failed(found)
        return self._rule.answered(asking, found, time.monotonic())

    def known_rules(self, user: User, namespace: str) -> KnownRules:
        """What can be listed of it: nothing."""
        return self._rule.known_rules(user, namespace)

    async def _asked(self, document: JsonObject) -> bytes | str:
        """The answer, or why there is none."""
        if self._webhooks is None:
            return "the server has not started"
        pause, timeout = _PAUSE, self._rule.settings.timeout
        for attempt in range(_ATTEMPTS):
            found = await self._webhooks.send(self._remote, document, timeout, _MOST)
            if not isinstance(found, NoAnswer):
                return found
            if attempt == _ATTEMPTS - 1 or not _may_pass(found):
                return found.why
            await asyncio.sleep(pause)
            pause *= _LONGER
        return "no attempt"


def _may_pass(found: NoAnswer) -> bool:
    if found.status is not None:
        return found.status.code in _PASSING
    return found.why.endswith("connection reset by peer")
