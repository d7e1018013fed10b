"""The JSON that Go writes for a struct: what is always there, what is left out, quantities and times in their own form.

Specification: encoding/json with the JSON tags of Kubernetes. `omitempty` leaves out false, 0, "", nil, and empty
lists and maps, but never a struct; without it a field is always written, except that a null is left out here, which is
the same to every reader. Quantities are written canonically; those of resource lists were rounded up to thousandths by
defaulting.
"""

from __future__ import annotations

from podward.api.json_value import Json, JsonObject
from podward.api.quantity import parse
from podward.schema.godecode.gotypes import GoType, fields_of
from podward.schema.godecode.times import written

_ALWAYS: dict[str, Json] = {"string": "", "bool": False, "int32": 0, "int64": 0, "intstr.IntOrString": 0}
_EMPTY: tuple[Json, ...] = (None, "", [], {})


def encode(value: JsonObject, struct: str) -> JsonObject:
    """The struct of this name in `schema.table.TYPES` whose set fields are `value`, as Go writes it."""
    made: JsonObject = {}
    for name, wanted in fields_of(struct).items():
        item = value.get(name)
        if not _left_out(item, wanted):
            made[name] = _value(item, wanted)
    return made


def _left_out(item: Json, wanted: GoType) -> bool:
    if wanted.pointer:
        return item is None
    if wanted.kind in {"struct", "resource.Quantity"}:
        return False
    if wanted.omitted:
        return item in _EMPTY or (type(item) in {int, bool} and not item)
    return item is None and wanted.kind in {"slice", "map", "v1.Time"}


def _value(item: Json, wanted: GoType) -> Json:
    if wanted.kind == "struct":
        return encode(item if isinstance(item, dict) else {}, wanted.struct)
    element = wanted.element
    if element is not None and isinstance(item, list):
        return [_value(part, element) for part in item]
    if element is not None and isinstance(item, dict):
        if wanted.name == "v1.ResourceList":
            return {name: str(parse(str(part)).rounded_to_milli()) for name, part in item.items()}
        return {name: _value(part, element) for name, part in item.items()}
    return _scalar(item, wanted)


def _scalar(item: Json, wanted: GoType) -> Json:
    if wanted.kind == "resource.Quantity":
        return "0" if item is None else str(parse(str(item)))
    if wanted.kind == "v1.Time" and isinstance(item, str):
        return written(item)
    return _ALWAYS.get(wanted.kind) if item is None else item
