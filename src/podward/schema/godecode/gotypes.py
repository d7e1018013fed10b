"""What a Go type is, from the way it is written in `table`."""

from __future__ import annotations

from msgspec import Struct

from podward.schema.godecode.table import NAMED, STRUCTS

_SPECIAL = frozenset(("resource.Quantity", "intstr.IntOrString", "v1.Time", "v1.FieldsV1"))
_BASIC = frozenset(("bool", "string", "int32", "int64"))


_REFERENCE, _PROBE = ("LocalObjectReference", frozenset(("name",))), frozenset(("exec", "httpGet", "tcpSocket", "grpc"))
_EMBEDDED: dict[str, tuple[str, frozenset[str]]] = {
    "v1.Probe": ("ProbeHandler", _PROBE),
    "v1.Volume": ("VolumeSource", frozenset(STRUCTS["v1.Volume"]) - {"name"}),
    "v1.EphemeralContainer": (
        "EphemeralContainerCommon",
        frozenset(STRUCTS["v1.EphemeralContainer"]) - {"targetContainerName"},
    ),
    "v1.ConfigMapEnvSource": _REFERENCE,
    "v1.ConfigMapKeySelector": _REFERENCE,
    "v1.ConfigMapProjection": _REFERENCE,
    "v1.ConfigMapVolumeSource": _REFERENCE,
    "v1.SecretEnvSource": _REFERENCE,
    "v1.SecretKeySelector": _REFERENCE,
    "v1.SecretProjection": _REFERENCE,
}
"""Structs that another is embedded in, with the fields that are that other's."""


class GoType(Struct, frozen=True):
    """A type without its pointer.

    `kind`: `bool`, `string`, `int32`, `int64`, `slice`, `map`, `struct`, or the name of a type that decodes itself.
    `name`: as Go prints the type. `element`: the text of a slice's or a map's. `option`: of the field's JSON tag.
    """

    kind: str
    name: str
    element: str = ""
    pointer: bool = False
    option: str = ""

    @property
    def nillable(self) -> bool:
        """Whether null is a value of it."""
        return self.pointer or self.kind in {"slice", "map"}


_known: dict[str, GoType] = {}


def go_type(text: str) -> GoType:
    """The type that `text` writes: `*bool,omitempty`, `[]v1.Container`, `v1.ResourceList`."""
    found = _known.get(text)
    if found is None:
        found = _known[text] = _parsed(text)
    return found


def fields_of(struct: str) -> dict[str, str]:
    """The fields of a struct, by their JSON names, with the texts of their types."""
    return STRUCTS[struct]


def way_to(struct: str, field: str) -> tuple[str, ...]:
    """The names that lead from a struct to its field, as Go's JSON errors print them."""
    embedded = _EMBEDDED.get(struct)
    return (embedded[0], field) if embedded is not None and field in embedded[1] else (field,)


def _parsed(text: str) -> GoType:
    written, _, option = text.partition(",")
    pointer = written.startswith("*")
    name = written.lstrip("*")
    under = NAMED.get(name, name)
    if under.startswith("[]"):
        return GoType("slice", name, under[2:], pointer, option)
    if under.startswith("map["):
        return GoType("map", name, under.partition("]")[2], pointer, option)
    kind = under if under in _SPECIAL or under in _BASIC else "struct"
    return GoType(kind, name, "", pointer, option)
