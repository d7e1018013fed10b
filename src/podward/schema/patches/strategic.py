"""A strategic merge patch applied to an object of a built-in kind.

Specification: apimachinery, util/strategicpatch: objects are merged; null takes a field away; a list whose field has
the strategy `merge` is merged by its items' merge key, or as a set of scalars, others are replaced. Directives:
`$patch` (replace, delete) in an object or an item; `$retainKeys`; `$setElementOrder/LIST`;
`$deleteFromPrimitiveList/LIST`.
"""

from __future__ import annotations

from typing import NoReturn

from podward.api.gotext import quote
from podward.api.govalue import plain, type_name
from podward.api.json_value import Json, JsonObject
from podward.schema import kinds  # noqa: F401 - with it the table has the types of all kinds
from podward.schema.malformed import BAD_REQUEST, Malformed
from podward.schema.merge_table import PATCH_STRATEGIES
from podward.schema.patches.element_order import Identity, identity, ordered
from podward.schema.table import TYPES

_PATCH, _RETAIN = "$patch", "$retainKeys"
_ORDER, _DELETE = "$setElementOrder", "$deleteFromPrimitiveList"
_BAD_ORDER = "invalid patch format of setElementOrder list"
_BAD_RETAIN = "invalid patch format of retainKeys"


def strategic_patched(kind: str, value: JsonObject, patch: JsonObject) -> JsonObject | Malformed:
    """The patched object of this type of the schema table, or why there is none.

    The given ones are not changed; what is unchanged is shared.
    """
    try:
        return _object(value, patch, kind)
    except _FaultError as error:
        return error.answer


class _FaultError(Exception):
    """The patch cannot be applied."""

    def __init__(self, answer: Malformed) -> None:
        super().__init__(answer.message)
        self.answer = answer


def _refuse(message: str) -> NoReturn:
    raise _FaultError(Malformed(500, "", message))


def _bad(message: str) -> NoReturn:
    raise _FaultError(Malformed(400, BAD_REQUEST, message))


def _object(value: JsonObject, patch: JsonObject, kind: str) -> JsonObject:
    """One object patched; `kind` is its type, a map's is the code of its values."""
    if _PATCH in patch:
        return _directed(patch)
    merged, left = _retained(value, patch)
    for name in [name for name in left if name.startswith(_ORDER)]:
        wanted = left.pop(name)
        _order_list(merged, left, (_field(name, _ORDER), wanted), kind)
    for name, item in left.items():
        if name.startswith(_DELETE):
            _delete_from_list(merged, _field(name, _DELETE), item, kind)
        else:
            _set(merged, name, item, kind)
    return merged


def _directed(patch: JsonObject) -> JsonObject:
    if patch[_PATCH] == "replace":
        return {name: item for name, item in patch.items() if name != _PATCH}
    if patch[_PATCH] == "delete":
        return {}
    return _unknown_directive(patch)


def _unknown_directive(patch: JsonObject) -> NoReturn:
    directive = patch[_PATCH]
    said = directive if isinstance(directive, str) else f"%!s({type_name(directive)}={plain(directive)})"
    _refuse(f"unknown patch type: {said} in map: {plain(patch)}")


def _retained(value: JsonObject, patch: JsonObject) -> tuple[JsonObject, JsonObject]:
    """The object with the keys that are to be kept, and the patch without that directive."""
    if _RETAIN not in patch:
        return dict(value), dict(patch)
    listed = patch[_RETAIN]
    left = {name: item for name, item in patch.items() if name != _RETAIN}
    if not isinstance(listed, list):
        _bad(_BAD_RETAIN)
    names = {name for name in listed if isinstance(name, str)}
    for name, item in left.items():
        if item is not None and not name.startswith((_DELETE, _ORDER)) and name not in names:
            _bad(_BAD_RETAIN)
    return {name: item for name, item in value.items() if name in names}, left


def _field(name: str, prefix: str) -> str:
    """The field that a directive with a field's name is about."""
    said, slash, field = name.partition("/")
    if not slash or said != prefix:
        _bad(_BAD_ORDER if prefix == _ORDER else "invalid patch format of primitive list")
    return field


def _set(merged: JsonObject, name: str, item: Json, kind: str) -> None:
    """Patch one field."""
    if item is None:
        merged.pop(name, None)
        return
    old = merged.get(name)
    if isinstance(old, dict) and isinstance(item, dict):
        code, strategy, _ = _known(kind, name)
        merged[name] = item if strategy == "replace" else _object(old, item, code)
    elif isinstance(old, list) and isinstance(item, list):
        code, strategy, key = _known(kind, name)
        merged[name] = _list(old, item, code[1:], key) if strategy == "merge" else item
    else:
        added = _without_directives(_without_nulls(item))
        if added is _NOTHING:
            merged.pop(name, None)
        else:
            merged[name] = added


def _known(kind: str, name: str) -> tuple[str, str, str]:
    """A field's type, its strategy without `retainKeys`, and the merge key of its items."""
    if kind.startswith("{"):
        return kind[1:], "", ""
    code = TYPES.get(kind, {}).get(name)
    if code is None:
        _refuse(f"unable to find api field in struct {kind.rpartition('.')[2]} for the json field {quote(name)}")
    strategy, _, key = PATCH_STRATEGIES.get(kind, {}).get(name, "").partition(" ")
    return code, strategy.removesuffix(",retainKeys").removesuffix("retainKeys"), key


def _delete_from_list(merged: JsonObject, name: str, items: Json, kind: str) -> None:
    """Take items out of a list of scalars; null takes the list itself away, as in the real server."""
    if items is None:
        merged.pop(name, None)
        return
    old = merged.get(name)
    if not isinstance(old, list) or not isinstance(items, list):
        return
    code, _, key = _known(kind, name)
    if not old and not items:
        return
    if _of_objects(old, items):
        merged[name] = _list(old, items, code[1:], key)
    else:
        gone = {identity(item) for item in items}
        merged[name] = [item for item in old if identity(item) not in gone]


def _order_list(merged: JsonObject, patch: JsonObject, order: tuple[str, Json], kind: str) -> None:
    """Merge a list and put it in the order of a directive; the list is taken out of the patch."""
    name, wanted = order
    if not isinstance(wanted, list):
        _wrong_type(wanted)
    code, strategy, key = _known(kind, name)
    old, items = merged.get(name), patch.get(name)
    if name in merged and not isinstance(old, list):
        _wrong_type(old)
    if name in patch and not isinstance(items, list):
        _wrong_type(items)
    before, after = old if isinstance(old, list) else [], items if isinstance(items, list) else []
    _check_order(after, wanted, key)
    if isinstance(old, list) and isinstance(items, list):
        found = _list(old, items, code[1:], key) if strategy == "merge" else items
    elif name in merged:
        found = before
    elif name in patch:
        added = _without_directives(items)
        found = added if isinstance(added, list) else []
    else:
        return
    _of_objects(before, after, required=True)
    identified = [(_identity(item, key), item) for item in found]
    had = [_identity(item, key) for item in before]
    if not any(isinstance(item, dict) and item.get(_PATCH) == "replace" for item in after):
        had = _with_freed_places(had, [pair[0] for pair in identified], [_identity(item, key) for item in after])
    merged[name] = ordered(identified, [_identity(item, key) for item in wanted], had)
    patch.pop(name, None)


def _with_freed_places(had: list[Identity], found: list[Identity], sent: list[Identity]) -> list[Identity]:
    """The server's order, in which new items have the places of as many that were deleted.

    The real server deletes within the list whose order it looks up afterwards, and appends what is new.
    """
    there, known = set(found), set(had)
    kept = [each for each in had if each in there]
    new = [each for each in sent if each in there and each not in known]
    return kept + new[: len(had) - len(kept)]


def _wrong_type(value: Json) -> NoReturn:
    _refuse(f"expected a []interface {{}}, but received a {'%!s(<nil>)' if value is None else type_name(value)}")


def _check_order(items: list[Json], wanted: list[Json], key: str) -> None:
    """Refuse a list whose items do not stand in the order that the directive demands."""
    if not items or not wanted:
        return
    at = 0
    kept = [item for item in items if not (isinstance(item, dict) and _PATCH in item)]
    for each in wanted:
        if at < len(kept) and _identity(kept[at], key) == _identity(each, key):
            at += 1
    if at < len(kept):
        _refuse(f"The order in patch list:\n{plain(items)}\n doesn't match {_ORDER} list:\n{plain(wanted)}\n")


def _identity(item: Json, key: str) -> Identity:
    """What tells an item apart: its merge key's value, or itself."""
    if not key:
        return identity(item)
    if not isinstance(item, dict):
        _refuse(f"expected a map[string]interface {{}}, but received a {type_name(item)}")
    if key not in item:
        _refuse(f"map: {plain(item)} does not contain declared merge key: {key}")
    return identity(item[key])


def _of_objects(*lists: list[Json], required: bool = False) -> bool:
    """Whether the items of all these lists are objects; all must be of one type, and no lists."""
    types = {type_name(item) for each in lists for item in each}
    if len(types) > 1:
        _refuse(f"list element types are not identical: [{' '.join(map(plain, lists))}]")
    if types == {"[]interface {}"}:
        raise _FaultError(Malformed(422, "Invalid", "the server rejected our request due to an error in our request"))
    if not types and required:
        _refuse("no elements in any of the given slices")
    return types == {"map[string]interface {}"}


def _list(old: list[Json], items: list[Json], kind: str, key: str) -> list[Json]:
    """Two lists merged: by item, or as sets of scalars."""
    if not old and not items:
        return old
    if not _of_objects(old, items):
        both = {identity(item): item for item in [*old, *items]}
        return ordered(both.items(), list(map(identity, items)), list(map(identity, old)))
    if not key:
        _refuse(f"cannot merge lists without merge key for {kind}")
    before, after = _after_directives(old, items, key)
    merged = [(_identity(item, key), item) for item in before]
    places = {found: at for at, (found, _) in reversed(list(enumerate(merged)))}
    for item in after:
        found = _identity(item, key)
        at = places.setdefault(found, len(merged))
        there = merged[at][1] if at < len(merged) else None
        if isinstance(there, dict) and isinstance(item, dict):
            merged[at] = found, _object(there, item, kind)
        else:
            merged.append((found, item))
    return ordered(merged, [_identity(item, key) for item in after], [_identity(item, key) for item in before])


def _after_directives(old: list[Json], items: list[Json], key: str) -> tuple[list[Json], list[Json]]:
    """The list without the items that are to be deleted, and the items without directives."""
    gone: set[Identity] = set()
    plain_items: list[Json] = []
    replaced = False
    for item in items:
        if not isinstance(item, dict) or _PATCH not in item:
            plain_items.append(item)
        elif item[_PATCH] == "delete":
            gone.add(_identity(item, key))
        elif item[_PATCH] == "replace":
            replaced = True
        elif item[_PATCH] == "merge":
            _refuse("merging lists cannot yet be specified in the patch")
        else:
            _unknown_directive(item)
    if replaced:
        return plain_items, []
    return ([item for item in old if _identity(item, key) not in gone] if gone else old), plain_items


_NOTHING: Json = {"$patch": "nothing is left"}
"""What is left of an object that is a directive."""


def _without_nulls(value: Json) -> Json:
    if isinstance(value, dict):
        return {name: _without_nulls(item) for name, item in value.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _without_directives(value: Json) -> Json:
    if isinstance(value, dict):
        if _PATCH in value:
            return _NOTHING
        found = {name: _without_directives(item) for name, item in value.items()}
        return {name: item for name, item in found.items() if item is not _NOTHING}
    if isinstance(value, list):
        return [item for each in value if (item := _without_directives(each)) is not _NOTHING]
    return value
