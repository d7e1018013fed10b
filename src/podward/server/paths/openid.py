"""`/.well-known/openid-configuration` and `/openid/v1/jwks`: how others verify tokens of service accounts.

Specification: Kubernetes, pkg/routes/openidmetadata.go. Who may ask is RBAC's to say.
"""

from __future__ import annotations

from podward.access import jwt
from podward.access.service_accounts.discovery import is_published, metadata
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.server.encoding import json_bytes
from podward.server.negotiation import JSON
from podward.server.request import Answer, Reply, Request
from podward.server.routes import NOT_FOUND
from podward.server.scope import Parts

_KEYS = "application/jwk-set+json"
_CACHED = (("Cache-Control", "public, max-age=3600"),)


async def configuration(parts: Parts, request: Request) -> Answer:
    """The issuer's metadata."""
    tokens = parts.tokens
    return _answer(parts, request, metadata(tokens.issuer, tokens.key_set_url, tokens.settings.all_keys), JSON)


async def keys(parts: Parts, request: Request) -> Answer:
    """The keys."""
    return _answer(parts, request, jwt.key_set(parts.tokens.settings.all_keys), _KEYS)


def _answer(parts: Parts, request: Request, document: JsonObject, media: str) -> Answer:
    if not is_published(parts.tokens.issuer):
        return NOT_FOUND
    if not _accepts(request.headers.get("Accept", ""), media):
        message = f"406: Not Acceptable\n\nAvailable representations: {media}"
        return Status(406, "NotAcceptable", message)
    return Reply(200, json_bytes(document), media, _CACHED)


def _accepts(header: str, media: str) -> bool:
    """Whether the client takes this type; it does where it names none."""
    named = {part.partition(";")[0].strip().lower() for part in header.split(",")} - {""}
    return not named or bool(named & {media, "*/*", f"{media.partition('/')[0]}/*"})
