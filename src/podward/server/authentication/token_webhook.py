"""The token webhook of a server: the way to it. What its answers mean is `podward.access.token_webhook`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from msgspec import Struct

from podward.access.authentication import Failed, Outcome
from podward.access.token_webhook import TokenWebhook
from podward.server.authentication.sparing_log import SparingLog
from podward.server.webhooks.client import NoAnswer, Remote, Webhooks
from podward.server.webhooks.trying import answer_of

_TIMEOUT = 30.0


class WebhookSettings(Struct, frozen=True):
    """Where the webhook is, which version it speaks, and for how many seconds its answers are remembered."""

    remote: Remote
    version: str = "v1beta1"
    life: float = 120.0


class AskedWebhook:
    """Asks the webhook about tokens, once for all who bear the same one at the same time."""

    def __init__(self, settings: WebhookSettings, own_audiences: Sequence[str]) -> None:
        self._remote = settings.remote
        self._rule = TokenWebhook(settings.version, own_audiences, settings.life)
        self._log = SparingLog("token webhook")
        self._webhooks: Webhooks | None = None
        self._asking: dict[bytes, asyncio.Task[Outcome]] = {}

    def reach_by(self, webhooks: Webhooks) -> None:
        """Use these connections."""
        self._webhooks = webhooks

    async def authenticate(self, token: str, audiences: Sequence[str], _now: float) -> Outcome:
        """Who bears the token."""
        key = self._rule.key(token, audiences)
        known = self._rule.known(key, time.monotonic())
        if known is not None:
            return known[0]
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._asked(key, token, tuple(audiences)))
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(asking)

    async def _asked(self, key: bytes, token: str, audiences: tuple[str, ...]) -> Outcome:
        if self._webhooks is None:
            return Failed(("the server has not started",))
        found = await answer_of(self._webhooks, self._remote, self._rule.review(token, audiences), _TIMEOUT)
        if isinstance(found, NoAnswer):
            self._log.tell(f"it cannot be asked: {found.why}")
            return Failed((found.why,))
        return self._rule.answered(key, audiences, found, time.monotonic())
