"""Who calls a node's server, and whether he may: asked of the API server, and remembered for a while.

Specification: Kubernetes, pkg/kubelet/server/auth.go and its configuration's defaults: client certificates of the
cluster's authority, tokens by TokenReview (remembered for 2 minutes), rights by SubjectAccessReview (what is allowed is
remembered for 5 minutes, what is not for 30 seconds). Nobody is served without a credential; where the API server
cannot be asked, nobody is let in whose right is not remembered.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Generic, TypeVar

from cryptography import x509

from podward.access.authentication import Authenticated
from podward.access.client_certificates import ClientCertificates
from podward.api.caller import AUTHENTICATED, User
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.documents.raw_fields import member
from podward.policy.kubelet.server_access import VERBS, subresources_of
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text, texts

_TOKENS = BY_PLURAL["authentication.k8s.io", "v1", "tokenreviews"]
_ACCESS = BY_PLURAL["authorization.k8s.io", "v1", "subjectaccessreviews"]
_TOKEN_SECONDS, _ALLOWED_SECONDS, _REFUSED_SECONDS = 120.0, 300.0, 30.0
_MOST = 2000
_LONGEST_TOKEN = 16 << 10

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """What was learnt, each for its time; of too much the oldest is forgotten. `now` is a clock that only goes on."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: dict[bytes, tuple[float, Value]] = {}

    def get(self, key: bytes) -> Value | None:
        """What is known still."""
        until, value = self._known.get(key, (0.0, None))
        return value if until > self._now() else None

    def put(self, key: bytes, value: Value, seconds: float) -> None:
        """Remember it for so long."""
        self._known.pop(key, None)
        while len(self._known) >= _MOST:
            del self._known[next(iter(self._known))]
        self._known[key] = (self._now() + seconds, value)


class Unanswered(Exception):  # noqa: N818 - said in the kubelet's words
    """The API server could not be asked."""


class Callers:
    """Those who call a node."""

    def __init__(self, client: Client, node: str, authorities: Sequence[x509.Certificate]) -> None:
        self._client = client
        self._node = node
        self._certificates = ClientCertificates(authorities, "the cluster's authority")
        self._tokens: Remembered[User] = Remembered()
        self._rights: Remembered[bool] = Remembered()

    async def user(self, certificate: bytes | None, authorization: str) -> User | None:
        """Who it is; None for nobody."""
        if certificate is not None:
            found = self._certificates.authenticate([certificate], datetime.now(UTC))
            if isinstance(found, Authenticated):
                return _authenticated(found.user)
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip() or len(token) > _LONGEST_TOKEN:
            return None
        return await self._of_token(token.strip())

    async def may(self, user: User, method: str, path: str) -> bool:
        """Whether he may. Raises Unanswered."""
        verb = VERBS.get(method, "")
        for subresource in subresources_of(path):
            if await self._right(user, verb, subresource):
                return True
        return False

    async def _of_token(self, token: str) -> User | None:
        key = hashlib.sha256(token.encode()).digest()
        known = self._tokens.get(key)
        if known is not None:
            return known
        review: JsonObject = {**_head("authentication", "TokenReview"), "spec": {"token": token}}
        answer = await self._client.create(_TOKENS, "", review)
        status = {} if isinstance(answer, Status) else member(answer, "status")
        if status.get("authenticated") is not True:
            return None
        said = member(status, "user")
        extra = {name: tuple(texts(member(said, "extra"), name)) for name in member(said, "extra")}
        user = User(text(said, "username"), tuple(texts(said, "groups")), text(said, "uid"), extra)
        self._tokens.put(key, user, _TOKEN_SECONDS)
        return user

    async def _right(self, user: User, verb: str, subresource: str) -> bool:
        extra: JsonObject = {name: list(values) for name, values in sorted(user.extra.items())}
        wanted: JsonObject = {"verb": verb, "version": "v1", "resource": "nodes", "subresource": subresource}
        groups: list[Json] = list(user.groups)
        spec: JsonObject = {
            "user": user.username,
            "groups": groups,
            "uid": user.uid,
            "extra": extra,
            "resourceAttributes": {**wanted, "name": self._node},
        }
        key = repr(spec).encode()
        known = self._rights.get(key)
        if known is not None:
            return known
        answer = await self._client.create(_ACCESS, "", {**_head("authorization", "SubjectAccessReview"), "spec": spec})
        if isinstance(answer, Status):
            raise Unanswered(answer.message)
        allowed = member(answer, "status").get("allowed") is True
        self._rights.put(key, allowed, _ALLOWED_SECONDS if allowed else _REFUSED_SECONDS)
        return allowed


def _authenticated(user: User) -> User:
    """Who is known is one of those who are."""
    if AUTHENTICATED in user.groups:
        return user
    return User(user.username, (*user.groups, AUTHENTICATED), user.uid, user.extra)


def _head(group: str, kind: str) -> JsonObject:
    return {"apiVersion": f"{group}.k8s.io/v1", "kind": kind}
