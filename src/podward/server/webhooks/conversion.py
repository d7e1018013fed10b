"""Custom objects in other versions, where a webhook converts them: all of a list in one call."""

from __future__ import annotations

from collections.abc import Sequence

from podward.api import status
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.schema.custom_objects import conversion
from podward.schema.custom_objects.kind import CustomKind
from podward.server.webhooks.client import NoAnswer, Webhooks
from podward.server.world import uid

_SECONDS = 30.0
_LEAST, _TIMES = 16 << 20, 16
_NO_VERSION = "no supported conversion review versions"


class Converter:
    """Asks the webhooks of definitions."""

    def __init__(self, webhooks: Webhooks) -> None:
        self._webhooks = webhooks

    async def convert(
        self, custom: CustomKind, objs: Sequence[JsonObject], api_version: str
    ) -> list[JsonObject] | Status:
        """The objects in this version, in their order, or why they cannot be converted."""
        how = custom.conversion
        sent = [obj for obj in objs if obj.get("apiVersion") != api_version]
        if not sent or how is None:
            return list(objs)
        made = await self._asked(how, sent, api_version)
        if isinstance(made, str):
            return status.unexplained(made)
        new = iter(custom.fitted(obj) for obj in made)
        return [obj if obj.get("apiVersion") == api_version else next(new) for obj in objs]

    async def _asked(
        self, how: conversion.Conversion, sent: Sequence[JsonObject], api_version: str
    ) -> list[JsonObject] | str:
        if not how.review_version:
            return _NO_VERSION
        own = uid()
        review = conversion.review_of(how, sent, api_version, own)
        most = _LEAST + _TIMES * sum(map(_size, sent))
        answer = await self._webhooks.post(how.client, review, _SECONDS, most)
        if isinstance(answer, NoAnswer):
            return conversion.failure(sent[0], answer.why)
        return conversion.converted(how, sent, api_version, own, answer)


def _size(obj: JsonObject) -> int:
    """About how many bytes an object has: its managed fields are the most of it."""
    return 4096 + sum(len(str(value)) for value in obj.values())
