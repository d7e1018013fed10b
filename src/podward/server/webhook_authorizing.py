"""The Webhook authorizer of a server: the way to the webhook.

What the rule makes of answers is `podward.access.webhook_authorizer`.
"""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from podward.access.webhook_authorizer import WebhookAuthorizer
from podward.api.authorization import Answer
from podward.client.connection import load
from podward.server.webhooks.client import NoAnswer, Remote, Webhooks
from podward.server.webhooks.trying import answer_of

if TYPE_CHECKING:
    from podward.access.authorizer_entries import WebhookSettings
    from podward.access.known_rules import KnownRules
    from podward.api.authorization import Attributes
    from podward.api.caller import User
    from podward.api.json_value import JsonObject

_log = logging.getLogger("podward.server")


class Webhook:
    """One authorization webhook."""

    def __init__(self, name: str, settings: WebhookSettings) -> None:
        """Raises InputError for a kubeconfig that leads nowhere."""
        self._rule = WebhookAuthorizer(name, settings)
        self._remote = Remote.at(load(settings.kubeconfig))
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
        found = await answer_of(self._webhooks, self._remote, document, self._rule.settings.timeout)
        return found.why if isinstance(found, NoAnswer) else found
