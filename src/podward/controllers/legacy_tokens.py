"""Secrets with tokens of service accounts that were made of themselves once, and that nobody uses any more.

Specification: Kubernetes, pkg/controller/serviceaccount legacy_serviceaccount_token_cleaner.go: daily. A token that was
not used for a year, that its account names and no Pod mounts, is marked as invalid, and deleted a year after that. It
is judged by what the server has told of the use of tokens; where it has told nothing for that long, nothing goes.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import logging
from collections.abc import Callable

from podward.access.service_accounts.legacy_use import INVALID_SINCE, LAST_USED, TRACKING
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.client.api import Client
from podward.client.work import Regularly
from podward.controllers.apps.acting import CONFLICT, NOT_FOUND, PODS
from podward.controllers.apps.ownership import annotations_of, is_going, labels_of, name_of, namespace_of, uid_of
from podward.controllers.apps.pods import created_at
from podward.controllers.context import Context
from podward.documents.raw_fields import member, objects
from podward.schema import pod_references
from podward.schema.resources import BY_PLURAL
from podward.schema.validation.raw import text

ACCOUNT = "legacy-service-account-token-cleaner"
_SECRETS, _ACCOUNTS, _MAPS = (BY_PLURAL["", "v1", name] for name in ("secrets", "serviceaccounts", "configmaps"))
_PERIOD = dt.timedelta(days=365)
_EVERY = 86400.0

_log = logging.getLogger("podward.controllers")


async def make(context: Context) -> LegacyTokens:
    """The controller."""
    return LegacyTokens(context, await context.client_for(ACCOUNT))


def is_told_long_enough(tracked_since: str, now: dt.datetime) -> bool:
    """Whether the server has told of the use of tokens for the whole period; it is a date on which it began."""
    began = _date(tracked_since)
    return began is not None and now >= _midnight(began + dt.timedelta(days=1)) + _PERIOD


def verdict(secret: JsonObject, account: JsonObject | None, *, mounted: bool, now: dt.datetime) -> str:
    """What becomes of a Secret: `mark`, `delete`, or nothing."""
    limit = (now - _PERIOD).date()
    if mounted or account is None or not _is_old_token(secret, now) or not _is_made_for(secret, account):
        return ""
    labels = labels_of(secret)
    if LAST_USED in labels:
        used = _date(labels[LAST_USED])
        if used is None or used >= limit:
            return ""
    invalid = _date(labels.get(INVALID_SINCE))
    if invalid is None:
        return "mark"
    return "" if invalid >= limit else "delete"


def _is_old_token(secret: JsonObject, now: dt.datetime) -> bool:
    is_token = text(secret, "type") == "kubernetes.io/service-account-token"
    return is_token and not is_going(secret) and created_at(secret) < (now - _PERIOD).timestamp()


def _is_made_for(secret: JsonObject, account: JsonObject) -> bool:
    """Whether a token was made of itself: its account names it. One that somebody asked for, it does not."""
    uid = text(annotations_of(secret), "kubernetes.io/service-account.uid")
    named = any(text(each, "name") == name_of(secret) for each in objects(account, "secrets"))
    return named and uid in {"", uid_of(account)}


def marked(secret: JsonObject, now: dt.datetime) -> JsonObject:
    """The patch that marks a Secret as invalid from today on."""
    return {"metadata": {"uid": uid_of(secret), "labels": {INVALID_SINCE: now.strftime("%Y-%m-%d")}}}


def _date(written: object) -> dt.date | None:
    with contextlib.suppress(ValueError, TypeError):
        return dt.datetime.strptime(written, "%Y-%m-%d").replace(tzinfo=dt.UTC).date()  # type: ignore[arg-type]
    return None


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)


class LegacyTokens:
    """Looks at all Secrets daily."""

    def __init__(self, context: Context, client: Client, now: Callable[[], dt.datetime] | None = None) -> None:
        self._client = client
        self._secrets = context.informers.of(_SECRETS)
        self._accounts = context.informers.of(_ACCOUNTS)
        self._pods = context.informers.of(PODS)
        self._now = now or (lambda: dt.datetime.now(dt.UTC))
        self._regularly = Regularly("cleaning up legacy tokens", self._clean, _EVERY)

    async def start(self) -> None:
        """Begin to work."""
        await self._regularly.start()

    async def close(self) -> None:
        """Work no more."""
        await self._regularly.close()

    async def _clean(self) -> None:
        told = await self._client.get(_MAPS, "kube-system", TRACKING)
        now = self._now()
        if isinstance(told, Status) or not is_told_long_enough(text(member(told, "data"), "since"), now):
            return
        for secret in self._secrets.items():
            account = self._accounts.get(
                namespace_of(secret), text(annotations_of(secret), "kubernetes.io/service-account.name")
            )
            pods = self._pods.items(namespace_of(secret))
            mounted = any(name_of(secret) in pod_references.secrets(pod) for pod in pods)
            await self._act(secret, verdict(secret, account, mounted=mounted, now=now), now)

    async def _act(self, secret: JsonObject, what: str, now: dt.datetime) -> None:
        namespace, name = namespace_of(secret), name_of(secret)
        if what == "mark":
            answer = await self._client.patch(_SECRETS, namespace, name, marked(secret, now))
        elif what == "delete":
            version = member(secret, "metadata").get("resourceVersion")
            options: JsonObject = {"preconditions": {"resourceVersion": version}}
            answer = await self._client.delete(_SECRETS, namespace, name, options)
        else:
            return
        if isinstance(answer, Status) and answer.code not in {NOT_FOUND, CONFLICT}:
            _log.warning("the legacy token %s/%s could not be cleaned up: %s", namespace, name, answer.message)
