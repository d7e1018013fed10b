"""The selectors of a list, a watch or a deletecollection as authorizers are told of them.

Specification: Kubernetes, k8s.io/apiserver, pkg/endpoints/filters/authorization.go GetAuthorizerAttributes, and
plugin/pkg/authorizer/webhook: of a selector that cannot be read nothing is told, and of one that compares numbers not
that part. Whoever decides by selectors then decides about more than is asked for, never about less.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import structs

from podward.api.authorization import Requirement
from podward.schema.query_selectors import parse_fields, parse_labels

if TYPE_CHECKING:
    from podward.api.authorization import Attributes

_OPERATORS = {"in": "In", "notin": "NotIn", "exists": "Exists", "absent": "DoesNotExist"}


def with_selectors(wanted: Attributes, fields: str, labels: str) -> Attributes:
    """The same with what the texts of the selectors ask."""
    if not fields and not labels:
        return wanted
    by_field, by_label = of_fields(fields), of_labels(labels)
    return structs.replace(wanted, field_selector=by_field or (), label_selector=by_label or ())


def of_fields(text: str) -> tuple[Requirement, ...] | None:
    """What a selector by fields asks; None where it cannot be read."""
    found = parse_fields(text)
    if isinstance(found, str):
        return None
    return tuple(Requirement(each.field, "In" if each.equal else "NotIn", (each.value,)) for each in found.terms)


def of_labels(text: str) -> tuple[Requirement, ...] | None:
    """What a selector by labels asks; None where it cannot be read."""
    found = parse_labels(text)
    if isinstance(found, str):
        return None
    return tuple(
        Requirement(each.key, _OPERATORS[each.operator], tuple(sorted(each.values)))
        for each in found.requirements
        if each.operator in _OPERATORS
    )
