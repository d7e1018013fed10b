"""Tokens of Pods' service accounts, asked for once and again before they run out.

Specification (kubelet, pkg/kubelet/token, and pkg/volume/projected; in our words): a token is asked for of the API
server, for the Pod's service account, bound to the Pod, for the audience and the lifetime that a projected volume
names. It is kept, and asked for again once 80 % of its life are over, or 24 hours, up to ten seconds earlier. Where
that fails, the old one is good until it has run out.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator
from datetime import datetime

from msgspec import Struct

from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.documents.raw_fields import member, objects
from podward.node.volume_verbs import GivenToken
from podward.policy.kubelet.volume_files import TOKEN_SECONDS
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

_ACCOUNTS = BY_PLURAL["", "v1", "serviceaccounts"]
_LONGEST = 24 * 3600.0
_SPENT = 0.8
_JITTER = 10.0
_AGAIN = 5.0
"""Seconds until a token that could not be had is asked for again."""

_log = logging.getLogger("podward.node")


class _Key(Struct, frozen=True):
    uid: str
    audience: str
    seconds: int


class _Held(Struct, frozen=True):
    token: str
    renewed: float
    """When it is to be asked for anew: seconds since the epoch, like the next."""
    expires: float


class Tokens:
    """The tokens of the node's Pods."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._held: dict[_Key, _Held] = {}

    async def of(self, pod: JsonObject) -> tuple[GivenToken, ...]:
        """The tokens that the Pod's volumes hold."""
        uid = text(member(pod, "metadata"), "uid")
        return tuple([await self._given(pod, _Key(uid, *wanted)) for wanted in dict.fromkeys(wanted_by(pod))])

    def due(self, uid: str) -> float | None:
        """Seconds until a token of the Pod is to be renewed; None where it has none."""
        soonest = min((held.renewed for key, held in self._held.items() if key.uid == uid), default=None)
        return None if soonest is None else max(soonest - time.time(), _AGAIN)

    def forget(self, uid: str) -> None:
        """The Pod is gone."""
        for key in [key for key in self._held if key.uid == uid]:
            del self._held[key]

    async def _given(self, pod: JsonObject, key: _Key) -> GivenToken:
        held, now = self._held.get(key), time.time()
        if held is not None and now < held.renewed:
            return GivenToken(key.audience, key.seconds, held.token)
        made = await self._asked(pod, key)
        if isinstance(made, _Held):
            self._held[key] = made
            return GivenToken(key.audience, key.seconds, made.token)
        name = text(member(pod, "spec"), "serviceAccountName") or "default"
        if held is None:
            return GivenToken(key.audience, key.seconds, fault=f"failed to fetch token: {made}")
        if now > held.expires:
            return GivenToken(key.audience, key.seconds, fault=f"token {name} expired and refresh failed: {made}")
        _log.warning("the token of %s for Pod %s could not be renewed: %s", name, key.uid, made)
        return GivenToken(key.audience, key.seconds, held.token)

    async def _asked(self, pod: JsonObject, key: _Key) -> _Held | str:
        """A new token, or why there is none."""
        metadata = member(pod, "metadata")
        bound: JsonObject = {"apiVersion": "v1", "kind": "Pod", "name": text(metadata, "name"), "uid": key.uid}
        spec: JsonObject = {"expirationSeconds": key.seconds, "boundObjectRef": bound}
        if key.audience:
            spec["audiences"] = [key.audience]
        request: JsonObject = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec}
        name = text(member(pod, "spec"), "serviceAccountName") or "default"
        namespace = text(metadata, "namespace")
        answer = await self._client.create(_ACCOUNTS, namespace, request, subresource="token", name=name)
        if isinstance(answer, Status):
            return answer.message
        return _read(answer, key.seconds)


def wanted_by(pod: JsonObject) -> Iterator[tuple[str, int]]:
    """The audience and the lifetime of each token that the Pod's volumes hold; an empty audience is the server's."""
    for volume in objects(member(pod, "spec"), "volumes"):
        for source in objects(member(volume, "projected"), "sources"):
            token = source.get("serviceAccountToken")
            if isinstance(token, dict):
                seconds = token.get("expirationSeconds")
                yield text(token, "audience"), seconds if isinstance(seconds, int) else TOKEN_SECONDS


def _read(answer: JsonObject, asked: int) -> _Held | str:
    status, given = member(answer, "status"), member(answer, "spec").get("expirationSeconds")
    token = text(status, "token")
    try:
        expires = datetime.fromisoformat(text(status, "expirationTimestamp")).timestamp()
    except ValueError:
        return "the answer has no time at which the token runs out"
    if not token:
        return "the answer has no token"
    seconds = given if isinstance(given, int) else asked
    begun = expires - seconds
    renewed = begun + min(seconds * _SPENT, _LONGEST) - random.uniform(0, _JITTER)  # noqa: S311 - no secret
    return _Held(token, renewed, expires)
