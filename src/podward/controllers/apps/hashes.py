"""Short hashes that stand in names and labels, the same that Kubernetes of this release computes.

Specification: Kubernetes, pkg/controller ComputeHash, pkg/controller/history HashControllerRevision and
k8s.io/apimachinery rand.SafeEncodeString: FNV of 32 bits, its digits written in letters that make no words. A template
is hashed as Go prints it (FNV-1a), a revision's data as Go writes it in JSON (FNV-1); then the number of collisions.
Whose template is whose is never told by the hash.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from podward.documents.go_json import escaped
from podward.schema.go_dump import dump

if TYPE_CHECKING:
    from podward.api.json_value import Json, JsonObject

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"
_BASIS, _PRIME, _MASK = 0x811C9DC5, 0x01000193, 0xFFFFFFFF
_COLLISION_BYTES = 8


def template_hash(template: JsonObject, collisions: int | None = None) -> str:
    """The hash of a Pod's template; `collisions`: how often one was taken already, nothing where that was never so."""
    try:
        data = dump.template(template).encode("utf-8", "surrogatepass")
    except dump.NotPrintedError:
        data = _json(template)
    if collisions is not None:
        data += (collisions & _MASK).to_bytes(_COLLISION_BYTES, "little")
    found = _BASIS
    for byte in data:
        found = ((found ^ byte) * _PRIME) & _MASK
    return safely_encoded(str(found))


def revision_hash(data: JsonObject, collisions: int) -> str:
    """The hash of what a ControllerRevision of a StatefulSet holds."""
    found = _BASIS
    for byte in _json(data) + str(collisions).encode():
        found = ((found * _PRIME) & _MASK) ^ byte
    return safely_encoded(str(found))


def safely_encoded(digits: str) -> str:
    """The text in letters that make no words."""
    return "".join(_LETTERS[ord(char) % len(_LETTERS)] for char in digits)


def _json(value: Json) -> bytes:
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return escaped(written.encode("utf-8", "surrogatepass"))
