"""The token webhook: what a service over HTTP is sent, and whom its answer names.

Specification: Kubernetes, k8s.io/apiserver, plugin/pkg/authenticator/token/webhook. It is sent a TokenReview with the
audiences that the token must be good for. An answer without audiences is good for the server's own. Only an answer that
says so names somebody; a user without a name is nobody. Answers are remembered for a while, failures are not.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import msgspec
from msgspec import Struct

from podward.access.authentication import Authenticated, Failed, Outcome
from podward.api.caller import User
from podward.api.gotext import quote
from podward.api.json_value import JsonObject

KIND, VERSIONS = "TokenReview", ("v1", "v1beta1")
_GROUP = "authentication.k8s.io"
_MOST_REMEMBERED = 8192


class _User(Struct, frozen=True):
    username: str | None = ""
    uid: str | None = ""
    groups: tuple[str, ...] | None = ()
    extra: dict[str, tuple[str, ...]] | None = None


class _Status(Struct, frozen=True):
    authenticated: bool | None = False
    user: _User | None = None
    audiences: tuple[str, ...] | None = ()
    error: str | None = ""


class _Review(Struct, frozen=True, rename="camel"):
    """An answer; fields that are not known mean nothing."""

    api_version: str = ""
    kind: str = ""
    status: _Status | None = None


class TokenWebhook:
    """The webhook, apart from the way to it. Times are seconds; nothing is remembered where `life` is 0."""

    __slots__ = ("_life", "_own", "_remembered", "_version")

    def __init__(self, version: str, own_audiences: Sequence[str], life: float) -> None:
        self._version = f"{_GROUP}/{version}"
        self._own = tuple(own_audiences)
        self._life = life
        self._remembered: OrderedDict[bytes, tuple[float, Outcome]] = OrderedDict()

    def key(self, token: str, audiences: Sequence[str]) -> bytes:
        """Under which the answer about a token is remembered; the token cannot be found out by it."""
        parts = (token, *(audiences or self._own))
        return hashlib.sha256(msgspec.json.encode([part.encode("utf-8", "surrogateescape") for part in parts])).digest()

    def known(self, key: bytes, now: float) -> tuple[Outcome] | None:
        """What is remembered, in a tuple."""
        found = self._remembered.get(key)
        return (found[1],) if found is not None and now < found[0] else None

    def review(self, token: str, audiences: Sequence[str]) -> JsonObject:
        """What the webhook is sent."""
        spec: JsonObject = {"token": token, "audiences": [*(audiences or self._own)]}
        return {"kind": KIND, "apiVersion": self._version, "metadata": {}, "spec": spec, "status": {"user": {}}}

    def answered(self, key: bytes, audiences: Sequence[str], answer: bytes, now: float) -> Outcome:
        """Whom the webhook's answer names; it is remembered unless it is a failure."""
        try:
            review = msgspec.json.decode(answer, type=_Review)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Failed((f"the token webhook's answer is no {KIND}",))
        if (review.kind or KIND) != KIND or review.api_version not in {"", self._version}:
            what = f"no kind {quote(review.kind)} is registered for version {quote(review.api_version)}"
            return Failed((what,))
        found = self._outcome(review.status or _Status(), tuple(audiences) or self._own)
        if not isinstance(found, Failed) and self._life > 0:
            self._remembered[key] = now + self._life, found
            self._remembered.move_to_end(key)
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return found

    def _outcome(self, status: _Status, wanted: tuple[str, ...]) -> Outcome:
        good_for = tuple(each for each in wanted if each in (status.audiences or self._own))
        if not good_for:
            return None
        user = status.user or _User()
        if not status.authenticated or not user.username:
            return Failed((status.error,)) if status.error else None
        named = User(user.username, user.groups or (), user.uid or "", user.extra or {})
        return Authenticated(named, "the token webhook", good_for)
