"""Short hashes that stand in names and labels.

Specification: Kubernetes, pkg/controller ComputeHash, pkg/controller/history HashControllerRevision and
k8s.io/apimachinery rand.SafeEncodeString: FNV-1a of 32 bits, then the number of collisions, its digits written in
letters that make no words. Ours: Kubernetes hashes how Go prints a template, which changes with each field that a
release adds; here it is the template's JSON with sorted names. Whose template is whose is never told by the hash.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from podward.api.json_value import Json

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_BASIS, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
_COLLISION_BYTES = 8


def hash_of(value: Json, collisions: int | None = None) -> str:
    """The hash of a value; `collisions`: how often one was taken already, nothing where that was never so."""
    data = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")
    if collisions is not None:
        data += (collisions & _MASK).to_bytes(_COLLISION_BYTES, "little")
    return safely_encoded(str(_fnv(data)))


def safely_encoded(digits: str) -> str:
    """The text in letters that make no words."""
    return "".join(_LETTERS[ord(char) % len(_LETTERS)] for char in digits)


def _fnv(data: bytes) -> int:
    found = _BASIS
    for byte in data:
        found = ((found ^ byte) * _PRIME) & _MASK
    return found
