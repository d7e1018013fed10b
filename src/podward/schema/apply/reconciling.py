"""Sets of fields that were written when the schema was another one.

Specification: structured-merge-diff v6, typed ReconcileFieldSetWithSchema: where a list or a map has become atomic, who
owned something in it owns it as a whole. The other way round nothing is done.
"""

from __future__ import annotations

from podward.schema.apply.field_set import FieldSet, as_field, is_field
from podward.schema.apply.types import DEDUCED, Type


def reconciled(kind: Type, fields: FieldSet) -> FieldSet:
    """The set as this type has it; the same one if nothing has become atomic."""
    changed: FieldSet = {}
    for step, node in fields.items():
        if node:
            below = _below(kind, step)
            found = _node(below, node) if below is not None else node
            if found is not node:
                changed[step] = found
    return {**fields, **changed} if changed else fields


def _node(kind: Type, node: FieldSet) -> FieldSet:
    if kind is DEDUCED or (kind.map is not None and kind.map.element is DEDUCED and not kind.map.fields):
        return node
    container = kind.map or kind.list if not kind.scalar else None
    if container is not None and container.atomic:
        return {}
    inside = {step: below for step, below in node.items() if step != "."}
    found = reconciled(kind, inside)
    if found is inside:
        return node
    return as_field(found) if is_field(node) else found


def _below(kind: Type, step: str) -> Type | None:
    if step.startswith("f:"):
        return (kind.map.fields.get(step[2:]) or kind.map.element) if kind.map is not None else None
    return kind.list.item if kind.list is not None and step != "." else None
