"""The Go types of objects' fields: `schema.table` as Kubernetes' structs have it.

Specification: Go prints a type with its package, k8s.io/api/core/v1 and k8s.io/apimachinery/pkg/apis/meta/v1 both as
`v1`. A struct is a pointer, and an empty field is left out of JSON, unless the table says otherwise; the creation time
is left out too (`omitzero`). A list or a map has the type that the table says: of its items, or, with a package, its
own. Of a type with a group and version before its name (`events.v1.Event`) Go prints the last two parts.
"""

from __future__ import annotations

from functools import cache

from msgspec import Struct
from msgspec.structs import replace

from podward.schema.table import ALWAYS_WRITTEN, GO_TYPES, TYPES

_SCALARS = {
    "s": "string", "b": "bool", "i": "int32", "l": "int64",
    "q": "resource.Quantity", "o": "intstr.IntOrString", "t": "v1.Time", "r": "v1.FieldsV1",
    "m": "v1.MicroTime", "n": "float64", "y": "[]uint8", "JSON": "v1.JSON",
    "JSONSchemaPropsOrArray": "v1.JSONSchemaPropsOrArray", "JSONSchemaPropsOrBool": "v1.JSONSchemaPropsOrBool",
    "JSONSchemaPropsOrStringArray": "v1.JSONSchemaPropsOrStringArray",
}  # fmt: skip

_LISTED = {"[": "[]", "{": "map[string]"}
_REFERENCE, _PROBE = ("LocalObjectReference", frozenset(("name",))), frozenset(("exec", "httpGet", "tcpSocket", "grpc"))
EMBEDDED: dict[str, tuple[str, frozenset[str]]] = {
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
_TYPE_META = frozenset(("apiVersion", "kind"))
"""What all objects embed, those with metadata."""


class GoType(Struct, frozen=True):
    """A type without its pointer.

    `kind`: `bool`, `string`, `int32`, `int64`, `slice`, `map`, `struct`, or the name of a type that decodes itself.
    `name`: as Go prints the type. `element`: a slice's or a map's. `omitted`: whether JSON leaves it out if empty.
    `of`: a struct's name in the table.
    """

    kind: str
    name: str
    element: GoType | None = None
    pointer: bool = False
    omitted: bool = False
    of: str = ""

    @property
    def struct(self) -> str:
        """A struct's name without its package."""
        return self.name.rpartition(".")[2]

    @property
    def nillable(self) -> bool:
        """Whether null is a value of it."""
        return self.pointer or self.kind in {"slice", "map", "[]uint8"}


@cache
def struct(name: str) -> GoType:
    """The struct with this name in `schema.table.TYPES`."""
    return GoType("struct", ".".join(name.split(".")[-2:]) if "." in name else f"v1.{name}", of=name)


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
    if code[0] in "[{":
        return replace(_several(code, named), omitted=omitted)
    inner = _plain(code)
    if named:
        inner = GoType(inner.kind, named if "." in named else f"v1.{named}")
    pointer = fact.startswith("*") or (inner.kind == "struct" and fact != "=")
    return GoType(inner.kind, inner.name, None, pointer, omitted, inner.of)


def _several(code: str, named: str) -> GoType:
    """A list or a map; `named` is what its items are called, or the whole of it, or nothing."""
    if code == "{q":
        return GoType("map", named or "v1.ResourceList", _plain("q"))
    sign, inner = code[0], code[1:]
    whole = named if "." in named or "[" in named else ""
    own = "" if not whole else _of_items(whole)
    if inner[0] in "[{":
        element = _several(inner, own)
    else:
        element = _plain(inner)
        called = own or ("" if whole or not named else f"v1.{named}")
        if called and not element.of:
            element = GoType(element.kind, called)
    return GoType("slice" if sign == "[" else "map", whole or _LISTED[sign] + element.name, element)


def _of_items(whole: str) -> str:
    """What the items of a list or map are called, by what Go calls all of it; nothing if that is a name of its own."""
    if whole.startswith("[]"):
        return whole[2:]
    return whole.partition("]")[2] if whole.startswith("map[") else ""


def way_to(struct_name: str, field: str) -> tuple[str, ...]:
    """The names that lead from a struct to its field, as Go's JSON errors print them."""
    if field in _TYPE_META and "metadata" in TYPES[struct_name]:
        return ("TypeMeta", field)
    embedded = EMBEDDED.get(struct_name)
    if embedded is None or field not in embedded[1]:
        return (field,)
    return (embedded[0], *way_to(embedded[0], field))


def _plain(code: str) -> GoType:
    """The type of a code that is no list and no map."""
    kind = _SCALARS.get(code)
    return struct(code) if kind is None else GoType(kind, kind)
