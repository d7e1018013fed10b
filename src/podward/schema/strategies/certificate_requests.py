"""CertificateSigningRequests.

Specification: Kubernetes, pkg/apis/certificates/validation and the strategies in pkg/registry/certificates. What is
asked for does not change; it is approved or denied, not both, through a subresource of its own. Whether a block of PEM
is a request, and whether a certificate is one, is not asked here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import object_meta
from podward.schema.strategies.base64_bytes import decoded
from podward.schema.strategies.equality import same
from podward.schema.strategies.kind import keeping
from podward.schema.strategies.names import NameRule
from podward.schema.strategies.strategy import Strategy
from podward.schema.strategies.workloads import SPEC, keeping_spec
from podward.schema.validation.certificates import signer_name
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    duplicate,
    forbidden,
    invalid,
    invalid_value,
    required,
    unsupported,
)
from podward.schema.validation.raw import text, texts

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_USAGES = (
    "any", "cert sign", "client auth", "code signing", "content commitment", "crl sign", "data encipherment",
    "decipher only", "digital signature", "email protection", "encipher only", "ipsec end system", "ipsec tunnel",
    "ipsec user", "key agreement", "key encipherment", "microsoft sgc", "netscape sgc", "ocsp signing", "s/mime",
    "server auth", "signing", "timestamping",
)  # fmt: skip
_BLOCK = re.compile(rb"(?m)^-----BEGIN ([^\n]*?)-----[ \t\r]*\n(?s:.*?)^-----END ")
_LEGACY, _SHORTEST = "kubernetes.io/legacy-unknown", 600
_DECIDED = ("Approved", "Denied")
_CONDITIONS = ROOT / "status" / "conditions"


def _request(obj: JsonObject, old: JsonObject | None) -> Decision:
    spec, before = member(obj, "spec"), {} if old is None else member(old, "spec")
    found = [_META(obj), _asked_for(spec), _usages(spec, texts(before, "usages"))]
    name, place = text(spec, "signerName"), SPEC / "signerName"
    if name == _LEGACY and text(before, "signerName") != _LEGACY:
        found.append(invalid(place, name, "the legacy signerName is not allowed via this API version"))
    else:
        found.append(signer_name(name, place))
    seconds = spec.get("expirationSeconds")
    if type(seconds) is int and seconds < _SHORTEST:
        detail = f"may not specify a duration less than {_SHORTEST} seconds (10 minutes)"
        found.append(invalid(SPEC / "expirationSeconds", seconds, detail))
    return merge(*found, _conditions(obj, old))


def _asked_for(spec: JsonObject) -> Decision:
    """What is asked for is in a block of PEM; whether it is sound, who signs it sees."""
    written = text(spec, "request")
    first = _BLOCK.search(decoded(written))
    if first is not None and first[1] == b"CERTIFICATE REQUEST":
        return NOTHING
    return invalid_value(SPEC / "request", written or None, "PEM block type must be CERTIFICATE REQUEST")


def _usages(spec: JsonObject, stored: list[str]) -> Decision:
    written, place = texts(spec, "usages"), SPEC / "usages"
    found = [] if written else [required(place)]
    if _USAGE_SET.issuperset(stored):
        wrong = [(index, usage) for index, usage in enumerate(written) if usage not in _USAGE_SET]
        found += [unsupported(place / index, usage, _USAGES) for index, usage in wrong]
    if len(set(stored)) == len(stored):
        twice = [(index, usage) for index, usage in enumerate(written) if usage in written[:index]]
        found += [duplicate(place / index, usage) for index, usage in twice]
    return merge(*found)


def _conditions(obj: JsonObject, old: JsonObject | None) -> Decision:
    stored = [text(each_one, "type") for each_one in _of(old)]
    found: list[Decision] = []
    seen: list[str] = []
    for index, condition in enumerate(_of(obj)):
        kind, status, place = text(condition, "type"), text(condition, "status"), _CONDITIONS / index
        if not kind and "" not in stored:
            found.append(required(place / "type"))
        known = ("True",) if kind in {"Approved", "Denied", "Failed"} else ("False", "True", "Unknown")
        if status not in known:
            found.append(unsupported(place / "status", status, known) if status else required(place / "status"))
        if kind in _DECIDED and not set(_DECIDED).issubset(stored) and set(_DECIDED) - {kind} <= set(seen):
            found.append(invalid(_CONDITIONS, kind, "Approved and Denied conditions are mutually exclusive"))
        if kind in seen and len(set(stored)) == len(stored):
            found.append(duplicate(place / "type", kind))
        seen.append(kind)
    return merge(*found)


def _of(obj: JsonObject | None) -> list[JsonObject]:
    return [] if obj is None else objects(member(obj, "status"), "conditions")


def _typed(obj: JsonObject, kind: str) -> list[Json]:
    return [condition for condition in _of(obj) if text(condition, "type") == kind]


def _change(obj: JsonObject, old: JsonObject, *, decides: bool, issues: bool) -> Decision:
    gone = [kind for kind in (*_DECIDED, "Failed") if len(_typed(obj, kind)) < len(_typed(old, kind))]
    found = [_request(obj, old)]
    found += [forbidden(_CONDITIONS, f'updates may not remove a condition of type "{kind}"') for kind in gone]
    for kind in () if decides else _DECIDED:
        now, before = _typed(obj, kind), _typed(old, kind)
        if len(now) > len(before):
            found.append(forbidden(_CONDITIONS, f'updates may not add a condition of type "{kind}"'))
        elif len(now) == len(before) and not same(now, before):
            found.append(forbidden(_CONDITIONS, f'updates may not modify a condition of type "{kind}"'))
    return merge(*found, _certificate(obj, old, issues=issues), object_meta.changed(obj, old))


def _certificate(obj: JsonObject, old: JsonObject, *, issues: bool) -> Decision:
    now, before = (text(member(one, "status"), "certificate") for one in (obj, old))
    place = ROOT / "status" / "certificate"
    if now == before:
        return NOTHING
    if not issues:
        return forbidden(place, "updates may not set certificate content")
    return forbidden(place, "updates may not modify existing certificate content") if before else NOTHING


# --- preparing --------------------------------------------------------------------------------------------------------


def _new(obj: JsonObject) -> JsonObject:
    """A request of somebody, whom the server puts there."""
    spec = {name: value for name, value in member(obj, "spec").items() if name not in _OF_THE_USER}
    return {**{name: value for name, value in obj.items() if name != "status"}, "spec": spec, "status": {}}


def _with_decisions(obj: JsonObject, old: JsonObject) -> JsonObject:
    """Approvals and denials as they are stored, where there are as many of them."""
    conditions = list(_of(obj))
    for kind in _DECIDED:
        stored = [each_one for each_one in _of(old) if text(each_one, "type") == kind]
        at = [index for index, each_one in enumerate(conditions) if text(each_one, "type") == kind]
        if len(at) == len(stored):
            for index, condition in zip(at, stored, strict=True):
                conditions[index] = condition
        elif not at:
            conditions += stored
    if not conditions:
        return obj
    shown: list[Json] = [*conditions]
    return {**obj, "status": {**member(obj, "status"), "conditions": shown}}


def _decided(obj: JsonObject, old: JsonObject) -> JsonObject:
    status, conditions = dict(member(old, "status")), member(obj, "status").get("conditions")
    status.pop("conditions", None)
    if conditions is not None:
        status["conditions"] = conditions
    return {**obj, "spec": member(old, "spec"), "status": status}


def with_times(obj: JsonObject, old: JsonObject, now: str) -> JsonObject:
    """The request whose conditions all say when: of one that stands as it stood, since when it does."""
    if all(condition.get("lastUpdateTime") and condition.get("lastTransitionTime") for condition in _of(obj)):
        return obj
    since = {
        (text(before, "type"), text(before, "status")): before["lastTransitionTime"]
        for before in reversed(_of(old))
        if before.get("lastTransitionTime")
    }
    timed: list[Json] = [
        {
            **condition,
            "lastUpdateTime": condition.get("lastUpdateTime") or now,
            "lastTransitionTime": condition.get("lastTransitionTime")
            or since.get((text(condition, "type"), text(condition, "status")), now),
        }
        for condition in _of(obj)
    ]
    return {**obj, "status": {**member(obj, "status"), "conditions": timed}}


_OF_THE_USER = frozenset(("username", "uid", "groups", "extra"))
_USAGE_SET = frozenset(_USAGES)
_META = object_meta.new(NameRule(lambda _name: ()), namespaced=False)
_KEEPING_SPEC = keeping_spec()
REQUEST = Strategy(
    validate=lambda obj: _request(obj, None),
    validate_update=lambda obj, old: _change(obj, old, decides=False, issues=False),
    prepare_for_create=_new,
    prepare_for_update=keeping("spec", "status"),
    namespaced=False,
)
REQUEST_STATUS = Strategy(
    validate_update=lambda obj, old: _change(obj, old, decides=False, issues=True),
    prepare_for_update=lambda obj, old: _with_decisions(_KEEPING_SPEC(obj, old), old),
    namespaced=False,
)
REQUEST_APPROVAL = Strategy(
    validate_update=lambda obj, old: _change(obj, old, decides=True, issues=False),
    prepare_for_update=_decided,
    namespaced=False,
)
