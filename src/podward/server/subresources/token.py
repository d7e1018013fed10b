"""`token`: a token of a service account, for a while, perhaps bound to a Pod, a Secret or a Node.

Specification: Kubernetes, pkg/registry/core/serviceaccount/storage/token.go, pkg/apis/authentication/validation.
"""

from __future__ import annotations

import time
from typing import cast

from msgspec import Struct

from podward.access.service_accounts.claims import EXTENDED_FROM, EXTENDED_TO, ObjectReference, TokenFacts
from podward.access.service_accounts.lookups import Lookup, reference
from podward.api import status
from podward.api.admission import GroupResource
from podward.api.gotext import quote
from podward.api.json_value import JsonObject
from podward.api.resource import GroupVersion
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.schema.strategies.flow import with_metadata
from podward.schema.validation.raw import text, texts
from podward.server import registry
from podward.server.account_tokens import AccountTokens
from podward.server.decoding import kind_of
from podward.server.options import WriteOptions, write_options
from podward.server.replies import document_reply
from podward.server.request import Answer, Request
from podward.server.scope import Scope
from podward.server.verbs.writing import managed_part, mutated, validated

_GROUP, _KIND = "authentication.k8s.io", "TokenRequest"
_LEAST, _MOST = 600, 1 << 32
_ISSUED = "authentication.kubernetes.io/issued-credential-id"
_PLURALS = {"Pod": "pods", "Node": "nodes", "Secret": "secrets"}


class _Bound(Struct, frozen=True):
    """What a token is bound to: objects by their kind in lower case."""

    objects: tuple[tuple[str, ObjectReference], ...] = ()
    to_pod: bool = False


async def handle(scope: Scope, request: Request) -> Answer:
    """Issue a token of this account."""
    options = write_options(request.query, "CreateOptions")
    if isinstance(options, Status):
        return options
    sent = await kind_of(request, options.validation, f"{_GROUP}/v1", _KIND)
    if isinstance(sent, Status):
        return sent
    placed = registry.placed(sent, request.info.namespace)
    if isinstance(placed, Status):
        return placed
    sent = managed_part(scope, request.manager(options.manager), sent, f"{_GROUP}/v1", _KIND)
    changed = await mutated(scope, request, sent, None, options)
    if isinstance(changed, Status):
        return changed
    sent, tokens, info = changed, scope.parts.tokens, request.info
    account = await tokens.find(Lookup("serviceaccounts", info.namespace, info.name))
    refused = _misnamed(sent, request)
    if refused is not None:
        return refused
    if account is None:
        return status.not_found(scope.group_resource, info.name)
    asked = _completed(scope, sent, account)
    if isinstance(asked, Status):
        return asked
    if (refused := await _invalid(scope, request, asked, options)) is not None:
        return refused
    bound = await _bound(tokens, asked, request)
    if isinstance(bound, Status):
        return bound
    uid = scope.parts.clock.uid()
    request.audit[_ISSUED] = f"JTI={uid}"
    return document_reply(request, 201, _issued(tokens, _shortened(tokens, asked, request), account, bound, uid))


def _misnamed(sent: JsonObject, request: Request) -> Status | None:
    of, info = member(sent, "metadata"), request.info
    for field, wanted in (("name", info.name), ("namespace", info.namespace)):
        said = text(of, field)
        if said and said != wanted:
            error = f"Invalid value: {quote(said)}: must match the service account {field} if specified"
            return status.invalid_for(_KIND, _GROUP, info.name, [(f"metadata.{field}", error)])
    return None


def _completed(scope: Scope, sent: JsonObject, account: JsonObject) -> JsonObject | Status:
    """The request with what it leaves out, or why it is for another account."""
    of, own, spec = member(account, "metadata"), member(sent, "metadata"), member(sent, "spec")
    uid = text(own, "uid")
    if uid and uid != of.get("uid"):
        why = f"the UID in the token request ({uid}) does not match the UID of the service account ({of.get('uid')})"
        return status.conflict(GroupResource(_GROUP, _KIND), text(of, "name"), why)
    audiences = list(texts(spec, "audiences")) or list(scope.parts.tokens.audiences)
    named = with_metadata(
        sent, name=of.get("name"), namespace=of.get("namespace"), uid=of.get("uid"),
        creationTimestamp=scope.parts.clock.now(),
    )  # fmt: skip
    return {**named, "spec": {**spec, "audiences": [*audiences]}, "status": {"token": "", "expirationTimestamp": None}}


async def _invalid(scope: Scope, request: Request, asked: JsonObject, options: WriteOptions) -> Status | None:
    seconds = _seconds(asked)
    fault = "less than 10 minutes" if seconds < _LEAST else "larger than 2^32 seconds" if seconds > _MOST else ""
    if fault:
        error = f"Invalid value: {seconds}: may not specify a duration {fault}"
        return status.invalid_for(_KIND, _GROUP, "", [("spec.expirationSeconds", error)])
    return await validated(scope, request, asked, None, options)


def _seconds(asked: JsonObject) -> int:
    found = member(asked, "spec").get("expirationSeconds")
    return 3600 if found is None else cast("int", found)


async def _bound(tokens: AccountTokens, asked: JsonObject, request: Request) -> _Bound | Status:
    """What the token is to be bound to, as it is now."""
    wanted = member(asked, "spec").get("boundObjectRef")
    if not isinstance(wanted, dict):
        return _Bound()
    kind, name = text(wanted, "kind"), text(wanted, "name")
    of = GroupVersion.parse(text(wanted, "apiVersion"))
    if of.group or kind not in _PLURALS:
        return status.bad_request(f"cannot bind token to object of type {of.group}/{of.version}, Kind={kind}")
    plural = _PLURALS[kind]
    found = await tokens.find(Lookup(plural, "" if kind == "Node" else request.info.namespace, name))
    if found is None:
        return status.not_found(GroupResource("", plural), name)
    if kind == "Pod" and text(member(found, "spec"), "serviceAccountName") != request.info.name:
        account = f"cannot bind token for serviceaccount {quote(request.info.name)}"
        return status.bad_request(f"{account} to pod running with different serviceaccount name.")
    uid = text(wanted, "uid")
    if uid and uid != member(found, "metadata").get("uid"):
        why = f"the UID in the bound object reference ({uid}) does not match the UID in record."
        about = GroupResource("", kind)
        return status.conflict(about, name, f"{why} The object might have been deleted and then recreated")
    objects = [(kind.lower(), reference(found))]
    node = text(member(found, "spec"), "nodeName") if kind == "Pod" else ""
    if node:
        known = await tokens.find(Lookup("nodes", "", node))
        objects.append(("node", ObjectReference(node) if known is None else reference(known)))
    return _Bound(tuple(objects), kind == "Pod")


def _shortened(tokens: AccountTokens, asked: JsonObject, request: Request) -> JsonObject:
    """The request, for no longer than tokens may be good for here."""
    seconds, longest = _seconds(asked), tokens.settings.longest
    if not longest or seconds <= longest:
        return asked
    request.warn(f"requested expiration of {seconds} seconds shortened to {longest} seconds")
    return {**asked, "spec": {**member(asked, "spec"), "expirationSeconds": longest}}


def _issued(tokens: AccountTokens, asked: JsonObject, account: JsonObject, bound: _Bound, uid: str) -> JsonObject:
    """The request with its token."""
    now, seconds = int(time.time()), _seconds(asked)
    audiences = tuple(texts(member(asked, "spec"), "audiences"))
    extended = tokens.settings.extends and bound.to_pod and seconds == EXTENDED_FROM
    extended = extended and set(audiences) <= set(tokens.audiences)
    facts = TokenFacts(
        tokens.issuer, text(member(account, "metadata"), "namespace"), reference(account), audiences, now,
        EXTENDED_TO if extended else seconds, uid, bound.objects, seconds if extended else 0,
    )  # fmt: skip
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + seconds))
    spec: JsonObject = {**member(asked, "spec"), "expirationSeconds": seconds}
    spec.setdefault("boundObjectRef", None)
    return {**asked, "spec": spec, "status": {"token": tokens.issued(facts), "expirationTimestamp": end}}
