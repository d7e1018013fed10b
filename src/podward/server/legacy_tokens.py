"""Notes in Secrets that their tokens are used, and in a ConfigMap since when that is done."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

from podward.access.service_accounts import legacy_use
from podward.api.json_value import JsonObject
from podward.errors import StoreError
from podward.server import first_objects
from podward.server.scope import Parts

_log = logging.getLogger("podward.server")


class LegacyTokens:
    """What notes it, once the server has what it writes with."""

    def __init__(self) -> None:
        self._parts: Parts | None = None

    async def start(self, parts: Parts) -> None:
        """Say that it is done from now on, and do it. Raises StoreError."""
        await first_objects.make_missing(parts, legacy_use.tracking(datetime.now(UTC).date()))
        self._parts = parts

    async def note(self, secret: JsonObject) -> None:
        """A token of this Secret was shown. Where that cannot be noted, the log is told, and the token is good."""
        noted = legacy_use.noted(secret, datetime.now(UTC).date())
        if noted is None or self._parts is None:
            return
        try:
            await first_objects.change(self._parts, {"apiVersion": "v1", "kind": "Secret", **noted})
        except StoreError as error:
            _log.error("the use of a token in a Secret cannot be noted: %s", error)
