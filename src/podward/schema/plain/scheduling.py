"""Where plain Pods may run: tolerations, affinity, spreading; and the labels that all of it is said with.

Specification: `validation.labels`, `validation.tolerations`, `validation.affinity` and `validation.topology`; about the
last two the rules themselves are asked. Selectors with label keys are not plain: the server changes them (see
`label_keys`) before it validates them.
"""

from __future__ import annotations

from typing import Literal

from podward.api.json_value import Json
from podward.path import path
from podward.schema.fit import fits
from podward.schema.plain.part import Count, PlainObject, Raw
from podward.schema.validation.labels import key_faults, value_faults

_AT = path("spec")
_LABEL_KEYS = frozenset(("matchLabelKeys", "mismatchLabelKeys"))


class PlainToleration(PlainObject, frozen=True):
    """Toleration."""

    key: str | None = None
    operator: Literal["Exists", "Equal"] | None = None
    value: str | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    toleration_seconds: Count | None = None


def are_labels(labels: dict[str, str]) -> bool:
    """Whether all keys and values are those of labels."""
    for key, value in labels.items():  # noqa: SIM110  # a generator would cost each workload
        if key_faults(key) or value_faults(value):
            return False
    return True


def is_tolerable(toleration: PlainToleration) -> bool:
    """Whether the toleration is sound."""
    if toleration.key:
        if key_faults(toleration.key):
            return False
    elif toleration.operator != "Exists":
        return False
    if toleration.toleration_seconds is not None and toleration.effect != "NoExecute":
        return False
    value = toleration.value
    return not value or (toleration.operator != "Exists" and not value_faults(value))


def is_affine(affinity: Raw) -> bool:
    """Whether an Affinity is sound."""
    from podward.schema.validation.affinity import check

    return fits(affinity, "Affinity") and not _has_label_keys(affinity) and not check(affinity, _AT).refused


def is_spread(constraints: tuple[Raw, ...]) -> bool:
    """Whether TopologySpreadConstraints are sound."""
    from podward.schema.validation.topology import check

    for constraint in constraints:
        if not fits(constraint, "TopologySpreadConstraint") or _has_label_keys(constraint):
            return False
    return not check({"topologySpreadConstraints": list(constraints)}, _AT).refused


def _has_label_keys(value: Json) -> bool:
    if isinstance(value, dict):
        return not _LABEL_KEYS.isdisjoint(value) or any(map(_has_label_keys, value.values()))
    return isinstance(value, list) and any(map(_has_label_keys, value))
