"""What the server takes from the world: the time, uids, random letters."""

from __future__ import annotations

import random
import time
import uuid

from podward.server.scope import Clock

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_random = random.SystemRandom()


def now() -> str:
    """The time in RFC 3339, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def uid() -> str:
    """A new uid."""
    return str(uuid.uuid4())


def letters(count: int) -> str:
    """Letters and digits that make no words."""
    return "".join(_random.choices(_LETTERS, k=count))


CLOCK = Clock(now, time.time, uid, letters)
