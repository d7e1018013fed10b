"""Failures of the server itself: its log is told where, and nobody is told what.

The text of an exception may hold what a client has sent or what is stored, so that only its kind is written, and the
way to it through the program.
"""

from __future__ import annotations

import logging
import traceback

from podward.api import status
from podward.api.status import Status
from podward.errors import StoreFullError

ANSWER = status.internal_error("the server has failed; its log tells how")
"""What the client is told."""

_log = logging.getLogger("podward.server")


def log(what: str, error: BaseException) -> None:
    """Tell the log that this has failed."""
    way = "".join(traceback.format_tb(error.__traceback__))
    _log.error("%s failed: %s\n%s", what, _kinds(error), way)


def no_room(error: StoreFullError) -> Status:
    """Tell the log that the store is full, and what to do; the answer says it too, without where the store is."""
    _log.error("%s", error)
    return status.internal_error(f"{error.what}: nothing was written")


def _kinds(error: BaseException) -> str:
    """The kind of the exception, and those of what it came from."""
    kinds: list[str] = []
    current: BaseException | None = error
    while current is not None and len(kinds) < 8:
        kinds.append(f"{type(current).__module__}.{type(current).__qualname__}")
        current = current.__cause__ or current.__context__
    return ", from ".join(kinds)
