"""What `podward explain access` does once its words are read: gather facts, have the rules asked, print."""

from __future__ import annotations

import argparse
import sys

import msgspec

from podward.access import explaining
from podward.access.asked_selectors import with_selectors
from podward.access.authorizer_entries import MODES, WEBHOOK
from podward.access.identities import impersonated
from podward.access.recorded_request import RecordedRequest, recorded
from podward.access.static_tokens import StaticTokens
from podward.api.access_explanation import AccessExplanation, ActingPlugin, Caller, Recorded
from podward.api.authorization import Attributes, Authorizer
from podward.api.json_value import JsonObject
from podward.cli import access_facts, inputs
from podward.errors import InputError, UsageError
from podward.render import access_explained
from podward.schema.resource_names import resource_of
from podward.stages.admission.acting import acting, request_of

_NOT_ALLOWED = 1
_DECISIONS = {"allow": True, "forbid": False}


def run(args: argparse.Namespace) -> int:
    """Explain it; 0 where it is allowed, 1 where it is not."""
    event = _recorded(args.event, args.token_auth_file) if args.event else None
    wanted = event.wanted if event is not None else _wanted(args)
    facts = access_facts.gathered(args, wanted)
    found = explaining.answers(_authorizers(args, facts), wanted)
    allowed, by = explaining.decision(found)
    notes = (*facts.notes, *_notes_of(wanted, facts))
    told = AccessExplanation(
        _caller(wanted, event), explaining.described(wanted), allowed, by, found, _plugins(args, wanted, event),
        None if event is None else _outcome(args.event, event, allowed=allowed),
        () if allowed else explaining.remedy(wanted), notes,
    )  # fmt: skip
    sys.stdout.write(_WRITERS[args.output](told))
    return 0 if allowed else _NOT_ALLOWED


def _wanted(args: argparse.Namespace) -> Attributes:
    user = impersonated(args.user, tuple(args.groups))
    if args.what.startswith("/"):
        return Attributes(user, args.verb, path=args.what)
    name, _, of = args.what.partition("/")
    resource = resource_of(name)
    namespace = "" if args.all_namespaces or not resource.namespaced else args.namespace or "default"
    wanted = Attributes(
        user, args.verb, resource.group, resource.plural, args.subresource, of, namespace, version=resource.version
    )
    return with_selectors(wanted, args.field_selector, args.label_selector)


def _recorded(name: str, tokens: str) -> RecordedRequest:
    """The request of the event in this file: of a log of several lines it is the last one."""
    shown = inputs.STDIN if name == "-" else name
    lines = [line for line in inputs.content_of(name).splitlines() if line.strip()]
    try:
        whole = msgspec.json.decode(b"\n".join(lines))
    except msgspec.MsgspecError:
        whole = _line(lines[-1] if lines else b"", shown)
    if not isinstance(whole, dict):
        raise InputError("this is no event of an audit log", where=shown, advice="give one event, as JSON")
    known = StaticTokens(inputs.content_of(tokens).decode("utf-8", "replace"), tokens) if tokens else None
    return recorded(whole, shown, known)


def _line(line: bytes, shown: str) -> JsonObject:
    try:
        return msgspec.json.decode(line, type=dict)
    except msgspec.MsgspecError as error:
        raise InputError(f"this is no JSON: {error}", where=shown, advice="give one line of an audit log") from None


def _authorizers(args: argparse.Namespace, facts: access_facts.Facts) -> list[tuple[str, Authorizer]]:
    found: list[tuple[str, Authorizer]] = []
    for mode in args.authorization_mode.split(","):
        if mode not in MODES or mode == WEBHOOK:
            why = "a webhook is only asked by a server" if mode == WEBHOOK else f"there is no mode {mode!r}"
            raise UsageError(why, where="--authorization-mode", advice="Node, RBAC, ABAC, AlwaysAllow, AlwaysDeny")
        found.append((mode, facts.authorizer(mode)))
    return found


def _notes_of(wanted: Attributes, facts: access_facts.Facts) -> list[str]:
    notes = [str(each) for each in facts.rbac.dangling]
    if (
        not wanted.path
        and wanted.resource != "*"
        and not resource_of(f"{wanted.resource}.{wanted.group}".rstrip(".")).known
    ):
        notes.append(f"no API server has a resource {wanted.resource!r} of its own; it is taken as it is written")
    return notes


def _caller(wanted: Attributes, event: RecordedRequest | None) -> Caller:
    user = wanted.user
    by = event.authenticator if event is not None else "--as: nobody was asked for a credential"
    original = "" if event is None or event.original is None else event.original.username
    return Caller(user.username, user.groups, user.uid, by, original)


def _plugins(args: argparse.Namespace, wanted: Attributes, event: RecordedRequest | None) -> tuple[ActingPlugin, ...]:
    kind = resource_of(f"{wanted.resource}.{wanted.group}".rstrip(".")).kind
    request = request_of(wanted, kind, None if event is None else event.body)
    if request is None:
        return ()
    enabled, disabled = (
        frozenset(filter(None, text.split(",")))
        for text in (args.enable_admission_plugins, args.disable_admission_plugins)
    )
    return tuple(ActingPlugin(name, phase) for name, phase in acting(request, enabled, disabled))


def _outcome(name: str, event: RecordedRequest, *, allowed: bool) -> Recorded:
    said = _DECISIONS.get(event.decision, allowed)
    shown = inputs.STDIN if name == "-" else name
    return Recorded(shown, event.decision, event.reason, event.code, said == allowed)


def _json(told: AccessExplanation) -> str:
    from podward.render.escaping import json_text

    return json_text(told, 1)


def _yaml(told: AccessExplanation) -> str:
    from podward.render.objects import yaml_text  # the other forms do not need PyYAML

    return yaml_text(msgspec.to_builtins(told), width=120)


_WRITERS = {"table": access_explained.text, "json": _json, "yaml": _yaml}
