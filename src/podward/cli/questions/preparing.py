"""How a question of `podward batch` has its Pod prepared: the words of `prepare`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.errors import UsageError
from podward.schema.defaulting import defaulted
from podward.stages.admission.order import completed

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject


def prepared(raw: JsonObject, how: str) -> JsonObject:
    """The Pod as it is (`none`), defaulted (`defaults`), or with what the registry does too (`create`)."""
    match how:
        case "none":
            return raw
        case "defaults":
            return defaulted(raw)[0]
        case "create":
            return completed(raw).stored
        case _:
            raise UsageError(f"prepare: {how} is none of none, defaults, create")
