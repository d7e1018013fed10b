"""Why Go cannot make an object of what a strategic merge patch has made.

Specification: apimachinery, pkg/runtime/converter.go: such an object is not decoded but restored, value by value, with
sentences of its own. Types that decode themselves (quantities, times, integers or texts) have the decoder's.
"""

from __future__ import annotations

from podward.api.govalue import type_name
from podward.api.json_value import Json
from podward.schema.godecode.gotypes import GoType, fields_of

_SIMPLE: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "bool": (bool,),
    "int32": (int,),
    "int64": (int,),
    "float64": (int, float),
}


def misfit(struct: str, value: Json) -> str:
    """The sentence about the first value that is not of its type; empty where there is none, or the decoder knows."""
    if not isinstance(value, dict):
        return f"cannot restore struct from: {_kind(value)}"
    types = fields_of(struct)
    found = (_of_type(types[name], item) for name, item in value.items() if name in types)
    return next((fault for fault in found if fault), "")


def _of_type(go: GoType, value: Json) -> str:
    if value is None:
        return ""
    if go.kind == "struct":
        return misfit(go.of, value)
    if go.kind in ("map", "slice") and go.element is not None:
        return _of_items(go, go.element, value)
    return _simple(go, value) if go.kind in _SIMPLE else ""


def _of_items(go: GoType, element: GoType, value: Json) -> str:
    if isinstance(value, dict) and go.kind == "map":
        items = list(value.values())
    elif isinstance(value, list) and go.kind == "slice":
        items = value
    else:
        return f"cannot restore {go.kind} from {_kind(value)}"
    return next((fault for item in items if (fault := _of_type(element, item))), "")


def _simple(go: GoType, value: Json) -> str:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, _SIMPLE[go.kind]) and (number or not isinstance(value, int) or go.kind == "bool"):
        return ""
    whole = isinstance(value, float) and value.is_integer()
    if number and go.kind.startswith("int"):
        return "" if whole else f"cannot convert {type_name(value)} to {go.name}"
    if isinstance(value, int) and number and go.kind == "string":
        return f"cannot convert int64 to {go.name}"
    return f"unrecognized type: {go.kind}"


def _kind(value: Json) -> str:
    """The reflected kind of a value."""
    return "map" if isinstance(value, dict) else "slice" if isinstance(value, list) else type_name(value)
