"""Acting as somebody else: what must be allowed for it, and who one is then.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/filters/impersonation, with ConstrainedImpersonation on. Ways
are tried in turn, and the first that is allowed in full counts: as a node or a service account or by user info, each
both in general (`impersonate:user-info` on users.authentication.k8s.io) and for this very request
(`impersonate-on:user-info:list` on what is asked for); then the older way, `impersonate` on users and groups of the
core group. Where none is allowed, the refusal of the first one is the answer.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward.access.forbidden import forbidden
from podward.access.identities import impersonated
from podward.access.service_account_names import split_username
from podward.api import status
from podward.api.authorization import Answer, Attributes, Opinion
from podward.api.caller import NODE_PREFIX, NODES, User
from podward.api.gotext import quote
from podward.api.status import Status
from podward.schema.validation.names import subdomain_faults

if TYPE_CHECKING:
    from typing import TypeAlias

_GROUP = "authentication.k8s.io"
_NODE = NODE_PREFIX
_NODE_OF_TOKEN = "authentication.kubernetes.io/node-name"  # noqa: S105 - the name of an extra
_EXTRA_HEADER = "impersonate-extra-"
_ESCAPE = re.compile("%([0-9a-fA-F]{2})|%")


class Impersonated(Struct, frozen=True):
    """Who the caller acts as; `constraint` is the verb that allowed it, empty for the older way."""

    user: User
    constraint: str = ""


Asking: TypeAlias = "Generator[Attributes, Answer, Impersonated | Status]"
"""It yields what the authorizers are asked, and is sent their answers."""


def wanted_user(headers: Mapping[str, Sequence[str]]) -> User | Status | None:
    """Whom the headers (names in lower case) ask to act as; None where they don't."""
    name = _first(headers, "impersonate-user")
    uid = _first(headers, "impersonate-uid")
    groups = tuple(headers.get("impersonate-group", ()))
    extra = {
        _unescaped(header[len(_EXTRA_HEADER) :]): tuple(values)
        for header, values in headers.items()
        if header.startswith(_EXTRA_HEADER) and values
    }
    wanted = User(name, groups, uid, extra)
    if name:
        return wanted
    if uid or groups or extra:
        return status.bad_request(f"requested {_printed(wanted)} without impersonating a user name")
    return None


def impersonate(wanted: User, request: Attributes) -> Asking:
    """Act as `wanted` in the request, whose caller is its user."""
    first: Status | None = None
    for mode in _modes(wanted, request.user):
        outcome = yield from _tried(mode, wanted, request)
        if isinstance(outcome, Impersonated):
            return outcome
        first = first or outcome
    return first if first is not None else status.unexplained("all impersonation modes failed")


def _modes(wanted: User, caller: User) -> list[str]:
    alone = not (wanted.uid or wanted.groups or wanted.extra)
    node = _node(wanted.username)
    if node is not None:
        own = caller.extra.get(_NODE_OF_TOKEN, ()) == (node,) and split_username(caller.username) is not None
        modes = (["associated-node"] if own else []) + ["arbitrary-node"]
    elif split_username(wanted.username) is not None:
        modes = ["serviceaccount"]
    else:
        return ["user-info", ""]
    return [*(modes if alone else ()), ""]


def _tried(mode: str, wanted: User, request: Attributes) -> Asking:
    caller = request.user
    if mode == "associated-node":
        caller = structs.replace(caller, extra={"authentication.kubernetes.io/associated-node-keys": _keys(caller)})
    if mode:
        verb = f"impersonate-on:{mode}:{request.verb}"
        refused = yield from _allowed(structs.replace(request, user=caller, verb=verb))
        if refused is not None:
            return refused
    verb = f"impersonate:{mode}" if mode else "impersonate"
    questions = _questions(mode, verb, wanted, caller)
    for question in questions:
        refused = question if isinstance(question, Status) else (yield from _allowed(question))
        if refused is not None:
            return refused
    return Impersonated(_made(mode, wanted), verb if mode else "")


def _allowed(question: Attributes) -> Generator[Attributes, Answer, Status | None]:
    answer = yield question
    return None if answer.opinion is Opinion.ALLOW else forbidden(question, answer.reason)


def _questions(mode: str, verb: str, wanted: User, caller: User) -> list[Attributes | Status]:
    found: list[Attributes | Status] = [_about_name(mode, verb, wanted, caller)]
    if wanted.uid:
        found.append(_question(caller, verb, _GROUP, "uids", wanted.uid))
    group = _GROUP if mode else ""
    groups = [_question(caller, verb, group, "groups", name) for name in wanted.groups]
    extras = [
        structs.replace(_question(caller, verb, _GROUP, "userextras", value), subresource=key)
        for key, values in sorted(wanted.extra.items())
        for value in values
    ]
    fault = _extra_fault(wanted.extra) if mode else ""
    refused = [forbidden(Attributes(caller, verb, _GROUP, "userextras"), fault)] if fault else []
    return [*found, *groups, *refused, *extras]


def _about_name(mode: str, verb: str, wanted: User, caller: User) -> Attributes:
    group, name = _GROUP if mode else "", wanted.username
    account, node = split_username(name), _node(name) if mode else None
    if account is not None:
        return structs.replace(_question(caller, verb, group, "serviceaccounts", account[1]), namespace=account[0])
    if node is not None:
        return _question(caller, verb, group, "nodes", "*" if mode == "associated-node" else node)
    return _question(caller, verb, group, "users", name)


def _question(caller: User, verb: str, group: str, resource: str, name: str) -> Attributes:
    return Attributes(caller, verb, group, resource, name=name, version="v1")


def _made(mode: str, wanted: User) -> User:
    groups = (NODES,) if mode in {"associated-node", "arbitrary-node"} else wanted.groups
    return structs.replace(wanted, groups=impersonated(wanted.username, groups).groups)


def _node(username: str) -> str | None:
    name = username.removeprefix(_NODE)
    return name if username.startswith(_NODE) and not subdomain_faults(name) else None


def _extra_fault(extra: Mapping[str, tuple[str, ...]]) -> str:
    for key, values in sorted(extra.items()):
        if not key:
            return "impersonating the empty string key in extra is not allowed"
        if key != key.lower():
            return f"impersonating a non-lowercase key in extra is not allowed: {quote(key)}"
        if "" in values:
            return "impersonating the empty string value in extra is not allowed"
        if "/" not in key:
            fault = f'extra.key: Invalid value: {quote(key)}: must be a domain-prefixed path (such as "acme.io/foo")'
            return f"impersonating an invalid key in extra is not allowed: {fault}"
    return ""


def _keys(user: User) -> tuple[str, ...]:
    return tuple(sorted(user.extra))


def _unescaped(key: str) -> str:
    """The key with its %-escapes resolved; as it is where one of them is none."""
    if any(found.group(1) is None for found in _ESCAPE.finditer(key)):
        return key
    resolved = _ESCAPE.sub(lambda found: chr(int(found.group(1), 16)), key)
    return resolved.encode("latin-1", "ignore").decode("utf-8", "replace") if resolved != key else key


def _first(headers: Mapping[str, Sequence[str]], name: str) -> str:
    values = headers.get(name)
    return values[0] if values else ""


def _printed(user: User) -> str:
    """A user as Go's `%#v` prints it."""
    groups = ", ".join(map(quote, user.groups))
    listed = f"[]string{{{groups}}}" if user.groups else "[]string(nil)"
    extra = ", ".join(
        f"{quote(key)}:[]string{{{', '.join(map(quote, values))}}}" for key, values in sorted(user.extra.items())
    )
    more = f"map[string][]string{{{extra}}}" if user.extra else "map[string][]string(nil)"
    name, uid = quote(user.username), quote(user.uid)
    return f"&user.DefaultInfo{{Name:{name}, UID:{uid}, Groups:{listed}, Extra:{more}}}"
