"""The Webhook authorizer: what a service over HTTP is sent, and what its answer means.

Specification: Kubernetes, k8s.io/apiserver, plugin/pkg/authorizer/webhook. It is sent a SubjectAccessReview and answers
with its status: allowed, denied or neither. What allows and denies denies. An answer that is none, as well as none at
all, is a failure: no opinion or a denial, as the webhook's settings say, and an error either way. Answers are
remembered for a while, unless what was asked is very long.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from podward.access.known_rules import KnownRules
from podward.access.review_spec import spec_of
from podward.access.webhook_conditions import Conditions
from podward.api.authorization import NO_OPINION, Answer, Opinion
from podward.api.gotext import quote
from podward.decision import Origin, Source

if TYPE_CHECKING:
    from podward.access.authorizer_entries import WebhookSettings
    from podward.api.authorization import Attributes
    from podward.api.caller import User
    from podward.api.json_value import JsonObject

KIND = "SubjectAccessReview"
_GROUP = "authorization.k8s.io"
_MOST_REMEMBERED, _LONGEST_REMEMBERED = 8192, 10_000
_BOTH = "webhook subject access review returned both allow and deny response"
_UNLISTED = KnownRules((), ("webhook authorizer does not support user rule resolution",), incomplete=True)


class _Status(Struct, frozen=True, rename="camel"):
    allowed: bool = False
    denied: bool = False
    reason: str = ""


class _Kind(Struct, frozen=True, rename="camel"):
    """What an answer says that it is."""

    api_version: str = ""
    kind: str = ""


class _Review(Struct, frozen=True):
    """An answer; fields that are not known mean nothing."""

    status: _Status | None = None


class Asking(Struct, frozen=True):
    """A review to be sent, and under which key its answer is remembered; empty where it is not."""

    document: JsonObject
    key: bytes


class WebhookAuthorizer:
    """One webhook, apart from the way to it: what it is asked, and what it has said."""

    __slots__ = ("_conditions", "_remembered", "name", "settings")

    def __init__(self, name: str, settings: WebhookSettings) -> None:
        self.name = name
        self.settings = settings
        self._conditions = Conditions(settings.conditions)
        self._remembered: OrderedDict[bytes, tuple[float, Answer]] = OrderedDict()

    def asking(self, wanted: Attributes, now: float) -> Asking | Answer:
        """What the webhook is to be asked, or the answer without asking it."""
        spec = spec_of(wanted)
        held = self._conditions.hold(spec)
        if isinstance(held, str):
            return self.failed(held)
        if not held:
            return NO_OPINION
        key = msgspec.json.encode(spec)
        known = self._remembered.get(key)
        if known is not None and now < known[0]:
            return known[1]
        return Asking(self._review(spec), key if _length(wanted) < _LONGEST_REMEMBERED else b"")

    def answered(self, asking: Asking, answer: bytes, now: float) -> Answer:
        """What the webhook's answer means; it is remembered."""
        try:
            raw = msgspec.json.decode(answer, type=_Kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            return self.failed(f"couldn't get version/kind; json parse error: {error}")
        if (raw.kind or KIND) != KIND or raw.api_version not in {"", self._version}:
            return self.failed(_other_kind(raw, self.settings.version))
        try:
            review = msgspec.json.decode(answer, type=_Review)
        except msgspec.MsgspecError as error:
            return self.failed(f"the webhook's answer is no {KIND}: {error}")
        found = self._opinion(review.status or _Status())
        life = self.settings.authorized_ttl if found.opinion is Opinion.ALLOW else self.settings.unauthorized_ttl
        if asking.key and life > 0:
            self._remembered[asking.key] = now + life, found
            self._remembered.move_to_end(asking.key)
            if len(self._remembered) > _MOST_REMEMBERED:
                self._remembered.popitem(last=False)
        return found

    def failed(self, why: str) -> Answer:
        """What it means that the webhook could not be asked."""
        if self.settings.denies_on_failure:
            return Answer(Opinion.DENY, self._source, error=why)
        return Answer(error=why)

    def known_rules(self, _user: User, _namespace: str) -> KnownRules:
        """Nobody can list what a webhook allows."""
        return _UNLISTED

    @property
    def _version(self) -> str:
        return f"{_GROUP}/{self.settings.version}"

    @property
    def _source(self) -> Source:
        return Source(Origin.POLICY, f"authorization webhook {self.name}")

    def _opinion(self, status: _Status) -> Answer:
        if status.denied:
            return Answer(Opinion.DENY, self._source, status.reason, _BOTH if status.allowed else "")
        if status.allowed:
            return Answer(Opinion.ALLOW, self._source, status.reason)
        return Answer(message=status.reason)

    def _review(self, spec: JsonObject) -> JsonObject:
        """The review; the older version calls the groups a group."""
        if self.settings.version != "v1" and "groups" in spec:
            spec = {("group" if name == "groups" else name): value for name, value in spec.items()}
        return {"kind": KIND, "apiVersion": self._version, "metadata": {}, "spec": spec, "status": {"allowed": False}}


def _other_kind(raw: _Kind, version: str) -> str:
    if (raw.api_version, raw.kind) == ("v1", "Status"):
        return f"converting (v1.Status) to ({version}.{KIND}): unknown conversion"
    return f"no kind {quote(raw.kind)} is registered for version {quote(raw.api_version)}"


def _length(wanted: Attributes) -> int:
    """How long what the caller chooses is."""
    texts = (wanted.namespace, wanted.verb, wanted.group, wanted.version, wanted.resource, wanted.subresource)
    return sum(map(len, (*texts, wanted.name, wanted.path)))
