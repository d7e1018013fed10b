"""Why a patch cannot be applied to any object: what a server answers instead."""

from __future__ import annotations

from msgspec import Struct

BAD_REQUEST = "BadRequest"


class Malformed(Struct, frozen=True):
    """The answer's code, reason and sentence. 500 has no reason; 422 has empty details, the others have none."""

    code: int
    reason: str
    message: str
