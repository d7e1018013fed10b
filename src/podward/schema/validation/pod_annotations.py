"""Annotations that mean something to the API server: a mirror Pod's, and the cost of a deletion.

Specification: Kubernetes, ValidatePodSpecificAnnotations and GetDeletionCostFromPodAnnotations: a 32-bit integer
without plus sign and leading zeros. A mirror Pod is bound to its node. (`seccomp` and `apparmor` have their own.)
"""

from __future__ import annotations

from podward.api.json_value import JsonObject
from podward.decision import Decision
from podward.path import Key
from podward.schema.validation.field import NOTHING, Place, invalid
from podward.schema.validation.raw import strings, text

_MIRROR = "kubernetes.io/config.mirror"
_COST = "controller.kubernetes.io/pod-deletion-cost"
KEYS = (_MIRROR, _COST)
_LIMIT = 1 << 31
_MOST_DIGITS = len(str(_LIMIT)) + 10


def check(metadata: JsonObject, spec: JsonObject, at: Place) -> Decision:
    """The annotations of a Pod, raw as its spec; `at` is where they are."""
    written = strings(metadata, "annotations")
    found = NOTHING
    if _MIRROR in written and not text(spec, "nodeName"):
        detail = "must set spec.nodeName if mirror pod annotation is set"
        found += invalid(at / Key(_MIRROR), written[_MIRROR], detail)
    if _COST in written and not _is_cost(written[_COST]):
        found += invalid(at / Key(_COST), written[_COST], "must be a 32bit integer")
    return found


def _is_cost(value: str) -> bool:
    digits = value.removeprefix("-")
    if len(digits) > _MOST_DIGITS or not digits.isascii() or not digits.isdecimal():
        return False
    if value[0] == "0" and value != "0":
        return False
    return -_LIMIT <= int(value) < _LIMIT
