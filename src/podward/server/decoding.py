"""Bodies of requests as objects: decoded, with their defaults, and with what is wrong told as the client wishes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar, cast

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.schema.bodies import Body, Expected, Undecodable, decode_body, decode_custom_body, media_of
from podward.schema.body_reading import FieldValidation, Media
from podward.schema.conversion import converted
from podward.schema.custom_objects.kind import CustomKind
from podward.schema.kinds import type_of
from podward.schema.served_defaults import with_served_defaults
from podward.server.encoding import json_bytes
from podward.server.negotiation import PRODUCED
from podward.server.request import Request
from podward.server.scope import Scope

Read = TypeVar("Read")
_LARGE = 128 << 10
MOST = 3 << 20
"""The longest body, in bytes."""


async def aside(body: bytes, reading: Callable[[], Read]) -> Read:
    """What reading a body gives; a large one is read by a thread, while others are served."""
    return reading() if len(body) < _LARGE else await asyncio.to_thread(reading)


async def object_of(request: Request, scope: Scope, validation: str) -> JsonObject | Status:
    """The object in the body, with its defaults."""
    custom = scope.custom
    if custom is None:
        return await kind_of(request, validation, scope.resource.api_version, scope.resource.kind)
    media = media_of(request.headers.get("Content-Type", ""))
    if media is None or media == "protobuf":
        return status.unsupported_media_type(PRODUCED)
    body = await request.body()
    if isinstance(body, Status):
        return body
    found = await aside(body, lambda: _custom(body, media, custom, validation))
    for warning in found.warnings:
        request.warn(warning)
    if isinstance(found, Undecodable):
        return status.bad_request(found.message)
    made = request.sent = custom.defaulted(found.object)
    return made


def _custom(body: bytes, media: Media, custom: CustomKind, validation: str) -> Body | Undecodable:
    expected = Expected(custom.resource.api_version, custom.resource.kind)
    return decode_custom_body(body, media, expected, custom.pruned, cast("FieldValidation", validation))


async def kind_of(request: Request, validation: str, api_version: str, kind: str) -> JsonObject | Status:
    """The object in the body, which is to be of this kind, with its defaults."""
    media = media_of(request.headers.get("Content-Type", ""))
    if media is None:
        return status.unsupported_media_type(PRODUCED)
    body = await request.body()
    if isinstance(body, Status):
        return body
    expected = Expected(api_version, kind)
    found = await aside(body, lambda: decode_body(body, media, expected, cast("FieldValidation", validation)))
    for warning in found.warnings:
        request.warn(warning)
    if isinstance(found, Undecodable):
        return status.bad_request(found.message)
    made = request.sent = defaulted(found.object, api_version, kind)
    return made


def again(obj: JsonObject, scope: Scope, validation: str) -> Body | Undecodable:
    """An object that a patch made, as if it had been sent."""
    if scope.custom is not None:
        return _custom(json_bytes(obj), "json", scope.custom, validation)
    expected = Expected(scope.resource.api_version, scope.resource.kind)
    return decode_body(json_bytes(obj), "json", expected, cast("FieldValidation", validation))


def custom_again(obj: JsonObject, custom: CustomKind) -> Body | Undecodable:
    """A custom object that something made, as if it had been sent; what its schema does not know is dropped."""
    return _custom(json_bytes(obj), "json", custom, "Ignore")


def completed(obj: JsonObject, scope: Scope) -> JsonObject:
    """A decoded object of the scope with its defaults."""
    if scope.custom is not None:
        return scope.custom.defaulted(obj)
    return defaulted(obj, scope.resource.api_version, scope.resource.kind)


def defaulted(obj: JsonObject, api_version: str, kind: str) -> JsonObject:
    """The object with its defaults, as the server reads it."""
    of = type_of(api_version, kind)
    return obj if of is None else converted(of, with_served_defaults(of, obj))
