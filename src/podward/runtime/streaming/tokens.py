"""One-time tokens in the place of requests, so that a URL tells nothing and works once.

Specification (Kubernetes, k8s.io/cri-streaming `request_cache`, in our words): a token is random, is taken once, and
counts for a minute; a thousand may be waiting.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Generic, TypeVar

from podward.api.cri_refusal import CriCode, CriRefusal

SECONDS = 60.0
MOST = 1000
_BYTES = 16

Request = TypeVar("Request")


class Tokens(Generic[Request]):
    """Requests that wait for their clients; `now` is a clock that only goes forward."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._waiting: dict[str, tuple[float, Request]] = {}

    def give(self, request: Request) -> str | CriRefusal:
        """A token for this request, or why there is none."""
        self._forget_old()
        if len(self._waiting) >= MOST:
            return CriRefusal(
                CriCode.RESOURCE_EXHAUSTED,
                "maximum number of in-flight requests exceeded:"
                f" use the URLs that were given, or try again in {SECONDS:.0f} seconds",
            )
        token = secrets.token_urlsafe(_BYTES)
        self._waiting[token] = (self._now() + SECONDS, request)
        return token

    def take(self, token: str) -> Request | None:
        """The request of this token, which counts no more; None where there is none."""
        self._forget_old()
        return self._waiting.pop(token, (0.0, None))[1]

    def _forget_old(self) -> None:
        now = self._now()
        for token, (until, _) in list(self._waiting.items()):
            if until >= now:
                return  # they are in the order of their ends
            del self._waiting[token]
