"""Configurations of webhooks, which are asked whether a request is let in, or change it.

Specification: Kubernetes, pkg/apis/admissionregistration/validation, pkg/util/webhook and the strategies in
pkg/registry/admissionregistration. What is stored may stay as it is, where less was once asked.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from podward.api.gotext import quote
from podward.decision import Decision, merge
from podward.documents.raw_fields import member, objects
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.admission_rules import (
    FAILURE_POLICIES,
    MATCH_POLICIES,
    REINVOCATION,
    conditions,
    known,
    rule,
    selector,
)
from podward.schema.strategies.kind import first_generation, next_generation
from podward.schema.strategies.names import host_faults
from podward.schema.strategies.paths import fully_qualified
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.field import (
    NOTHING,
    ROOT,
    Place,
    duplicate,
    each,
    invalid,
    invalid_value,
    required,
    unsupported,
)
from podward.schema.validation.names import subdomain_faults
from podward.schema.validation.raw import pointer, text, texts
from podward.schema.validation.values import PORT

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_REVIEWS, _SIDE_EFFECTS = ("v1", "v1beta1"), ("None", "NoneOnDryRun")
_ANY_SIDE_EFFECTS = ("None", "NoneOnDryRun", "Some", "Unknown")
_LONGEST_WAIT = 30
_FORM = "; desired format: https://host[/path]"
_URL = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?", re.DOTALL)
_CONTROL = re.compile("[\\x00-\\x1f\\x7f]")
_SCHEME = re.compile("[A-Za-z][A-Za-z0-9+.-]*")
_ODD_IN_HOST = re.compile('[ "<>^`{|}\\\\]')
_BAD_ESCAPE = re.compile("%(?![0-9a-fA-F]{2}).{0,2}")
_HOOKS = ROOT / "webhooks"


# --- clients, also of conversions and servers -------------------------------------------------------------------------


def client(of: JsonObject, at: Place) -> Decision:
    """Where a webhook is."""
    url, service = pointer(of, "url"), of.get("service")
    if (url is None) == (not isinstance(service, dict)):
        return required(at, "exactly one of url or service is required")
    return _url(url, at / "url") if url is not None else service_of(member(of, "service"), at / "service")


def _url(url: str, at: Place) -> Decision:
    unreadable = url_fault(url)
    if unreadable:
        return required(at, f"url must be a valid URL: parse {quote(url)}: {unreadable}{_FORM}")
    parts = _URL.match(url)
    scheme, authority, query, fragment = parts.groups("") if parts is not None else ("",) * 4
    found: list[Decision] = []
    user, _, host = authority.rpartition("@")
    scheme = scheme.lower()
    if scheme != "https":
        found.append(invalid(at, scheme, f"'https' is the only allowed URL scheme{_FORM}"))
    if not host:
        found.append(invalid(at, host, f"host must be specified{_FORM}"))
    if "@" in authority:
        found.append(invalid(at, user, "user information is not permitted in the URL"))
    if fragment:
        found.append(invalid(at, fragment, "fragments are not permitted in the URL"))
    if query:
        found.append(invalid(at, query, "query parameters are not permitted in the URL"))
    return merge(*found)


def url_fault(url: str) -> str:
    """Why Go's net/url cannot read this; empty where it can."""
    if _CONTROL.search(url):
        return "net/url: invalid control character in URL"
    if url.startswith(":"):
        return "missing protocol scheme"
    scheme, colon, rest = url.partition(":")
    if not colon or not _SCHEME.fullmatch(scheme):
        first = url.partition("?")[0].partition("/")[0]
        return "first path segment in URL cannot contain colon" if ":" in first else _escape_fault(url)
    authority = _URL.match(url)
    host = (authority.group(2) or "").rpartition("@")[2] if authority is not None else ""
    odd = _ODD_IN_HOST.search(host)
    if odd is not None:
        return f"invalid character {quote(odd[0])} in host name"
    port = host.rpartition("]")[2] if host.startswith("[") else host
    if ":" in port and not port.rpartition(":")[2].isdecimal() and not port.endswith(":"):
        return f"invalid port {quote(':' + port.rpartition(':')[2])} after host"
    return _escape_fault(rest.partition("?")[0])


def _escape_fault(text: str) -> str:
    found = _BAD_ESCAPE.search(text)
    return f"invalid URL escape {quote(found[0])}" if found is not None else ""


def service_of(of: JsonObject, at: Place) -> Decision:
    """The Service that a webhook is behind; as the server has it, a missing name is told of the namespace, and back."""
    told = (("namespace", "name"), ("name", "namespace"))
    found = [required(at / place) for name, place in told if not text(of, name)]
    port = of.get("port")
    if type(port) is int and not PORT.is_sound(port):
        faults = ",".join(reason.partition(f"{port}: ")[2] for reason in PORT.reasons(port))
        found.append(invalid(at / "port", port, f"port is not valid: {faults}"))
    return merge(*found, _path(pointer(of, "path"), at / "path"))


def _path(path: str | None, at: Place) -> Decision:
    if path in {None, "", "/"} or path is None:
        return NOTHING
    if path == "//":
        return invalid(at, path, "segment[0] may not be empty")
    found = [] if path.startswith("/") else [invalid(at, path, "must start with a '/'")]
    for index, step in enumerate(path[1:].removesuffix("/").split("/")):
        if not step:
            found.append(invalid(at, path, f"segment[{index}] may not be empty"))
            continue
        found.append(each(at, path, [f"segment[{index}]: {fault}" for fault in subdomain_faults(step)]))
    return merge(*found)


def review_versions(written: list[str], at: Place, missing: str, *, needed: bool) -> Decision:
    """The versions of reviews that a webhook knows; `needed`: one of the server's is among them."""
    if not written:
        return required(at, missing)
    found: list[Decision] = []
    for index, version in enumerate(written):
        if version in written[:index]:
            found.append(invalid(at / index, version, "duplicate version"))
            continue
        found.append(each(at / index, version, host_faults(version)))
    if needed and not set(_REVIEWS).intersection(written):
        shown: Json = [*written]
        found.append(invalid_value(at, shown, "must include at least one of v1, v1beta1"))
    return merge(*found)


# --- webhooks ---------------------------------------------------------------------------------------------------------


def _validate(obj: JsonObject, old: JsonObject | None) -> Decision:
    stored = objects(old, "webhooks") if old is not None else []
    hooks = objects(obj, "webhooks")
    effects = _SIDE_EFFECTS if all(_has_no_effects(hook) for hook in stored) else _ANY_SIDE_EFFECTS
    recognized, unique = all(map(_is_recognized, stored)), _are_unique(stored)
    lenient = any(_selectors(hook, ROOT).refused for hook in stored)
    unchanged = old is not None and [_conditions(hook) for hook in hooks] == [_conditions(hook) for hook in stored]
    seen: set[str] = set()
    found: list[Decision] = []
    for index, hook in enumerate(hooks):
        place, name = _HOOKS / index, text(hook, "name")
        found.append(_hook(hook, place, effects, lenient=lenient))
        if not unchanged:
            found.append(conditions(hook, place / "matchConditions"))
        written, missing = texts(hook, "admissionReviewVersions"), "must specify one of v1, v1beta1"
        found.append(review_versions(written, place / "admissionReviewVersions", missing, needed=recognized))
        if unique and name in seen:
            found.append(duplicate(place / "name", name))
        if name:
            seen.add(name)
    return merge(*found)


def _conditions(hook: JsonObject) -> Json:
    return hook.get("matchConditions") or None


def _has_no_effects(hook: JsonObject) -> bool:
    return pointer(hook, "sideEffects") in _SIDE_EFFECTS


def _is_recognized(hook: JsonObject) -> bool:
    written = texts(hook, "admissionReviewVersions")
    return not written or bool(set(_REVIEWS).intersection(written))


def _are_unique(hooks: list[JsonObject]) -> bool:
    return len({text(hook, "name") for hook in hooks}) == len(hooks)


def _selectors(hook: JsonObject, at: Place) -> Decision:
    return merge(*[selector(hook, name, at) for name in ("namespaceSelector", "objectSelector")])


def _hook(hook: JsonObject, at: Place, effects: tuple[str, ...], *, lenient: bool) -> Decision:
    found = [fully_qualified(text(hook, "name"), at / "name")]
    found += [rule(each_one, at / "rules" / index) for index, each_one in enumerate(objects(hook, "rules"))]
    found += [known(hook, "failurePolicy", FAILURE_POLICIES, at), known(hook, "matchPolicy", MATCH_POLICIES, at)]
    effect, seconds, place = pointer(hook, "sideEffects"), hook.get("timeoutSeconds"), at / "sideEffects"
    if effect is None:
        found.append(required(place, f"must specify one of {', '.join(effects)}"))
    elif effect not in effects:
        found.append(unsupported(place, effect, effects))
    if type(seconds) is int and not 1 <= seconds <= _LONGEST_WAIT:
        detail = f"the timeout value must be between 1 and {_LONGEST_WAIT} seconds"
        found.append(invalid(at / "timeoutSeconds", seconds, detail))
    if not lenient:
        found.append(_selectors(hook, at))
    found.append(known(hook, "reinvocationPolicy", REINVOCATION, at))
    return merge(*found, client(member(hook, "clientConfig"), at / "clientConfig"))


_META = object_meta.any_new(names.SUBDOMAIN, namespaced=False)
WEBHOOKS = Strategy(
    validate=lambda obj: _META(obj) + _validate(obj, None),
    validate_update=lambda obj, old: _META(obj) + _validate(obj, old),
    prepare_for_create=first_generation,
    prepare_for_update=lambda obj, old: next_generation(obj, old, "webhooks"),
    allow_unconditional_update=False,
    namespaced=False,
)
