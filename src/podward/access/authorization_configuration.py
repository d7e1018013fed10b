"""AuthorizationConfiguration from a file, as strictly as the real server reads it.

Specification: Kubernetes, k8s.io/apiserver, pkg/apis/apiserver (v1, v1beta1), its validation and defaults, and
pkg/kubeapiserver/authorizer LoadAndValidateData. Whether a kubeconfig is there is looked at when it is read.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from podward.access.authorizer_entries import MODES, WEBHOOK, AuthorizerEntry, WebhookSettings
from podward.access.webhook_conditions import fault_of
from podward.api.go_duration import seconds_of
from podward.api.gotext import quote
from podward.errors import InputError
from podward.path import Path, path
from podward.schema.configuration import Expected, the_document, typed
from podward.schema.validation.names import subdomain_faults

_VERSIONS = ("apiserver.config.k8s.io/v1", "apiserver.config.k8s.io/v1beta1")
_KIND = "AuthorizationConfiguration"
_ADVICE = f"it is one document with apiVersion: {_VERSIONS[0]}, kind: {_KIND} and a list of authorizers"
_EXPECTED = Expected("an authorization configuration", _KIND, _VERSIONS, _ADVICE)
_FILE, _CLUSTER = "KubeConfigFile", "InClusterConfig"
_LONGEST, _MOST_CONDITIONS = 30.0, 64
Fault = tuple[Path, str]
_REQUIRED = "Required value"


class _Connection(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    type: str | None = ""
    kube_config_file: str | None = None


class _Condition(Struct, frozen=True, forbid_unknown_fields=True):
    expression: str | None = ""


class _Webhook(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    authorized_ttl: str | None = msgspec.field(default=None, name="authorizedTTL")
    cache_authorized_requests: bool | None = None
    unauthorized_ttl: str | None = msgspec.field(default=None, name="unauthorizedTTL")
    cache_unauthorized_requests: bool | None = None
    timeout: str | None = None
    subject_access_review_version: str | None = ""
    match_condition_subject_access_review_version: str | None = ""
    failure_policy: str | None = ""
    connection_info: _Connection | None = None
    match_conditions: tuple[_Condition, ...] | None = ()


class _Authorizer(Struct, frozen=True, forbid_unknown_fields=True):
    type: str | None = ""
    name: str | None = ""
    webhook: _Webhook | None = None


class _Configuration(Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    api_version: str
    kind: str
    authorizers: tuple[_Authorizer, ...] | None = ()


def read(text: bytes, name: str) -> tuple[AuthorizerEntry, ...]:
    """The authorizers in the file of this name. Raises InputError with the line of what is wrong."""
    document = the_document(text, name, _EXPECTED)
    written = typed(document, _Configuration, _ADVICE).authorizers or ()
    for at, fault in _faults(written):
        raise InputError(f"{at}: {fault}", where=document.where(at), advice=_ADVICE)
    return tuple(_entry(each) for each in written)


def _entry(written: _Authorizer) -> AuthorizerEntry:
    webhook = None if written.webhook is None else _settings(written.webhook)
    return AuthorizerEntry(written.type or "", written.name or "", webhook)


def _settings(written: _Webhook) -> WebhookSettings:
    connection = written.connection_info or _Connection()
    return WebhookSettings(
        connection.kube_config_file or "",
        written.subject_access_review_version or "",
        _seconds(written.timeout) or _LONGEST,
        0.0 if written.cache_authorized_requests is False else _seconds(written.authorized_ttl) or 300.0,
        0.0 if written.cache_unauthorized_requests is False else _seconds(written.unauthorized_ttl) or 30.0,
        written.failure_policy == "Deny",
        tuple(each.expression or "" for each in written.match_conditions or ()),
    )


def _faults(authorizers: tuple[_Authorizer, ...]) -> Iterator[Fault]:
    """What is wrong, in the order of the real server."""
    if not authorizers:
        yield path("authorizers"), f"{_REQUIRED}: at least one authorization mode must be defined"
    types: set[str] = set()
    names: set[str] = set()
    for index, each in enumerate(authorizers):
        at, kind = path("authorizers", index), each.type or ""
        fault = _type_fault(kind, types)
        if fault:
            yield at / "type", fault
            continue
        types.add(kind)
        yield from _name_faults(each.name or "", kind, names, at / "name")
        names.add(each.name or "")
        yield from _webhook_part(each, at)


def _type_fault(kind: str, seen: set[str]) -> str:
    if not kind:
        return _REQUIRED
    if kind not in MODES:
        return f"Unsupported value: {quote(kind)}: supported values: {', '.join(map(quote, sorted(MODES)))}"
    return f"Duplicate value: {quote(kind)}" if kind in seen and kind != WEBHOOK else ""


def _name_faults(name: str, kind: str, seen: set[str], at: Path) -> Iterator[Fault]:
    if not name:
        yield at, _REQUIRED
    elif name in seen:
        yield at, f"Duplicate value: {quote(name)}"
    elif faults := subdomain_faults(name):
        yield at, f"Invalid value: {quote(name)}: authorizer name is invalid: {', '.join(faults)}"
    elif kind != WEBHOOK and name != kind.lower():
        yield at, f"expected name {kind.lower()} for authorizer {kind} instead of {name}"


def _webhook_part(each: _Authorizer, at: Path) -> Iterator[Fault]:
    if each.type != WEBHOOK:
        if each.webhook is not None:
            yield at / "webhook", 'Invalid value: "non-null": may only be specified when type=Webhook'
    elif each.webhook is None:
        yield at / "webhook", f"{_REQUIRED}: required when type=Webhook"
    else:
        yield from _webhook_faults(each.webhook, at / "webhook")


def _webhook_faults(webhook: _Webhook, at: Path) -> Iterator[Fault]:
    yield from _time_faults(webhook, at)
    version, policy = webhook.subject_access_review_version or "", webhook.failure_policy or ""
    yield from _choice(version, ("v1", "v1beta1"), at / "subjectAccessReviewVersion")
    conditions = webhook.match_conditions or ()
    for_conditions = webhook.match_condition_subject_access_review_version or ""
    at_version = at / "matchConditionSubjectAccessReviewVersion"
    if for_conditions:
        yield from _choice(for_conditions, ("v1",), at_version)
    elif conditions:
        yield at_version, f"{_REQUIRED}: required if match conditions are specified"
    yield from _choice(policy, ("NoOpinion", "Deny"), at / "failurePolicy")
    yield from _connection_faults(webhook.connection_info or _Connection(), at / "connectionInfo")
    yield from _condition_faults(conditions, at / "matchConditions")


def _time_faults(webhook: _Webhook, at: Path) -> Iterator[Fault]:
    texts = {"timeout": webhook.timeout, "authorizedTTL": webhook.authorized_ttl}
    texts["unauthorizedTTL"] = webhook.unauthorized_ttl
    for name, text in texts.items():
        seconds = _seconds(text)
        if seconds is None:
            yield at / name, f"Invalid value: {quote(text or '')}: this is no duration, such as 30s"
        elif name == "timeout" and not text:
            yield at / name, _REQUIRED
        elif name == "timeout" and not 0 < seconds <= _LONGEST:
            yield at / name, f"Invalid value: {quote(text or '')}: must be > 0s and <= 30s"
        elif seconds < 0:
            yield at / name, f"Invalid value: {quote(text or '')}: must be > 0s"


def _connection_faults(connection: _Connection, at: Path) -> Iterator[Fault]:
    kind, file = connection.type or "", connection.kube_config_file or ""
    if kind == _CLUSTER:
        yield at / "type", f"Invalid value: {quote(kind)}: a server does not ask itself; use {_FILE}"
    elif kind == _FILE and not file:
        yield at / "kubeConfigFile", _REQUIRED
    elif kind == _FILE and not posixpath.isabs(file):
        yield at / "kubeConfigFile", f"Invalid value: {quote(file)}: must be an absolute path"
    else:
        yield from _choice(kind, (_CLUSTER, _FILE), at / "type")


def _condition_faults(conditions: tuple[_Condition, ...], at: Path) -> Iterator[Fault]:
    if len(conditions) > _MOST_CONDITIONS:
        yield at, f"Too many: {len(conditions)}: must have at most {_MOST_CONDITIONS} items"
        return
    seen: set[str] = set()
    for index, each in enumerate(conditions):
        text, place = each.expression or "", at / index / "expression"
        if not text.strip():
            yield place, _REQUIRED
        elif text in seen:
            yield place, f"Duplicate value: {quote(text)}"
        elif fault := fault_of(text):
            yield place, f"Invalid value: {quote(text)}: {fault}"
        seen.add(text)


def _choice(value: str, known: tuple[str, ...], at: Path) -> Iterator[Fault]:
    if not value:
        yield at, _REQUIRED
    elif value not in known:
        yield at, f"Unsupported value: {quote(value)}: supported values: {', '.join(map(quote, known))}"


def _seconds(text: str | None) -> float | None:
    """The duration; nothing written is none at all."""
    return seconds_of(text) if text else 0.0
