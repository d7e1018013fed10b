"""A request from an audit log: who asked what, how he was known, and what came of it.

Specification: Kubernetes, k8s.io/apiserver, pkg/apis/audit/v1 Event. An event does not say which authenticator named
the caller: that is told as far as the credential's id, the name and the groups tell it, and a file of static tokens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.access.asked_selectors import with_selectors
from podward.access.authentication import CREDENTIAL_ID
from podward.access.review_spec import as_object, text, user_of
from podward.access.service_account_names import split_username
from podward.api.authorization import Attributes
from podward.api.caller import UNAUTHENTICATED, User
from podward.documents.raw_fields import member
from podward.errors import InputError

if TYPE_CHECKING:
    from podward.access.static_tokens import StaticTokens
    from podward.api.json_value import JsonObject

DECISION, REASON = "authorization.k8s.io/decision", "authorization.k8s.io/reason"
_ADVICE = "give one line of an audit log: an Event of audit.k8s.io/v1, as JSON"


class RecordedRequest(Struct, frozen=True):
    """What was asked, by whom, and what came of it. `original` is who acted as the user; None where nobody did."""

    wanted: Attributes
    authenticator: str
    original: User | None
    decision: str
    reason: str
    code: int
    body: JsonObject | None


def recorded(event: JsonObject, name: str, tokens: StaticTokens | None = None) -> RecordedRequest:
    """The request that an event is about; `tokens` are those of the server. Raises InputError for what is no event."""
    if text(event, "kind") != "Event" or not text(event, "apiVersion").startswith("audit.k8s.io/"):
        raise InputError("this is no event of an audit log", where=name, advice=_ADVICE)
    caller, other = _user(event.get("user")), event.get("impersonatedUser")
    acting = _user(other) if isinstance(other, dict) else None
    notes = member(event, "annotations")
    code = member(event, "responseStatus").get("code")
    body = event.get("requestObject")
    return RecordedRequest(
        _attributes(event, acting or caller),
        guessed(caller, tokens),
        caller if acting is not None else None,
        text(notes, DECISION),
        text(notes, REASON),
        code if isinstance(code, int) else 0,
        body if isinstance(body, dict) else None,
    )


def guessed(user: User, tokens: StaticTokens | None = None) -> str:
    """Which authenticator named the user, as far as one can tell by what it left."""
    record = None if tokens is None else tokens.record_of(user)
    if record is not None:
        return record
    if UNAUTHENTICATED in user.groups:
        return "none: the request is anonymous"
    credential = next(iter(user.extra.get(CREDENTIAL_ID, ())), "")
    kind, _, number = credential.partition("=")
    if kind == "X509SHA256":
        return f"a client certificate (SHA-256 {number})"
    account = split_username(user.username)
    if account is not None:
        return f"a token of service account {account[0]}/{account[1]}" + (f" (id {number})" if kind == "JTI" else "")
    if kind == "JTI":
        return f"a token of an issuer (id {number})"
    return "not told: a static token or a webhook leaves nothing by which to tell; --token-auth-file helps"


def _user(raw: object) -> User:
    spec: JsonObject = raw if isinstance(raw, dict) else {}
    return user_of({**spec, "user": spec.get("username")})


def _attributes(event: JsonObject, user: User) -> Attributes:
    about, verb = as_object(event.get("objectRef")), text(event, "verb")
    target, _, query = text(event, "requestURI").partition("?")
    if not about:
        return Attributes(user, verb, path=target or "/")
    name = "" if verb == "create" and not text(about, "subresource") else text(about, "name")
    wanted = Attributes(
        user, verb, text(about, "apiGroup"), text(about, "resource"), text(about, "subresource"), name,
        text(about, "namespace"), version=text(about, "apiVersion"),
    )  # fmt: skip
    fields = dict(part.partition("=")[::2] for part in query.split("&")) if query else {}
    return with_selectors(wanted, _plain(fields.get("fieldSelector", "")), _plain(fields.get("labelSelector", "")))


def _plain(text: str) -> str:
    """A part of a query without its escapes."""
    pieces = text.replace("+", " ").split("%")
    found = bytearray(pieces[0].encode())
    for piece in pieces[1:]:
        try:
            found += bytes((int(piece[:2], 16),)) + piece[2:].encode()
        except ValueError:
            found += f"%{piece}".encode()
    return found.decode("utf-8", "replace")
