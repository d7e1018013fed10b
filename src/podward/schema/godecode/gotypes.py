"""The Go types of a Pod's fields: `schema.table` as Kubernetes' structs have it.

Specification: Go prints a type with its package, k8s.io/api/core/v1 and k8s.io/apimachinery/pkg/apis/meta/v1 both as
`v1`. A struct is a pointer, and an empty field is left out of JSON, unless the table says otherwise; the creation time
is left out too (`omitzero`).
"""

from __future__ import annotations

from functools import cache

from msgspec import Struct

from podward.schema.table import ALWAYS_WRITTEN, GO_TYPES, TYPES

_SCALARS = {
    "s": "string", "b": "bool", "i": "int32", "l": "int64",
    "q": "resource.Quantity", "o": "intstr.IntOrString", "t": "v1.Time", "r": "v1.FieldsV1",
}  # fmt: skip


_REFERENCE, _PROBE = ("LocalObjectReference", frozenset(("name",))), frozenset(("exec", "httpGet", "tcpSocket", "grpc"))
_EMBEDDED: dict[str, tuple[str, frozenset[str]]] = {
    "Probe": ("ProbeHandler", _PROBE),
    "Volume": ("VolumeSource", frozenset(TYPES["Volume"]) - {"name"}),
    "EphemeralContainer": (
        "EphemeralContainerCommon",
        frozenset(TYPES["EphemeralContainer"]) - {"targetContainerName"},
    ),
    "ConfigMapEnvSource": _REFERENCE,
    "ConfigMapKeySelector": _REFERENCE,
    "ConfigMapProjection": _REFERENCE,
    "ConfigMapVolumeSource": _REFERENCE,
    "SecretEnvSource": _REFERENCE,
    "SecretKeySelector": _REFERENCE,
    "SecretProjection": _REFERENCE,
}
"""The structs that embed another struct, with its name and its fields."""


class GoType(Struct, frozen=True):
    """A type without its pointer.

    `kind`: `bool`, `string`, `int32`, `int64`, `slice`, `map`, `struct`, or the name of a type that decodes itself.
    `name`: as Go prints the type. `element`: a slice's or a map's. `omitted`: whether JSON leaves it out if empty.
    """

    kind: str
    name: str
    element: GoType | None = None
    pointer: bool = False
    omitted: bool = False

    @property
    def struct(self) -> str:
        """A struct's name without its package."""
        return self.name.rpartition(".")[2]

    @property
    def nillable(self) -> bool:
        """Whether null is a value of it."""
        return self.pointer or self.kind in {"slice", "map"}


@cache
def struct(name: str) -> GoType:
    """The struct with this name in `schema.table.TYPES`."""
    return GoType("struct", f"v1.{name}")


@cache
def fields_of(name: str) -> dict[str, GoType]:
    """The fields of the struct with this name in `schema.table.TYPES`, by their JSON names."""
    facts = dict(fact.split(":", 1) for fact in GO_TYPES.get(name, "").split())
    written = ALWAYS_WRITTEN.get(name, "").split()
    return {
        field: _field(code, facts.get(field, ""), omitted=field not in written) for field, code in TYPES[name].items()
    }


def _field(code: str, fact: str, *, omitted: bool) -> GoType:
    named = fact.lstrip("*=")
    if code == "{q":
        return GoType("map", named or "v1.ResourceList", _plain("q"), omitted=omitted)
    inner = _plain(code.lstrip("[{"))
    if named:
        inner = GoType(inner.kind, named if "." in named else f"v1.{named}")
    if code[0] == "[":
        return GoType("slice", f"[]{inner.name}", inner, omitted=omitted)
    if code[0] == "{":
        return GoType("map", f"map[string]{inner.name}", inner, omitted=omitted)
    pointer = fact.startswith("*") or (inner.kind == "struct" and fact != "=")
    return GoType(inner.kind, inner.name, None, pointer, omitted)


def way_to(struct_name: str, field: str) -> tuple[str, ...]:
    """The names that lead from a struct to its field, as Go's JSON errors print them."""
    embedded = _EMBEDDED.get(struct_name)
    return (embedded[0], field) if embedded is not None and field in embedded[1] else (field,)


def _plain(code: str) -> GoType:
    """The type of a code that is no list and no map."""
    kind = _SCALARS.get(code)
    return struct(code) if kind is None else GoType(kind, kind)
