"""Leases and LeaseCandidates.

Specification: Kubernetes, pkg/apis/coordination/validation and the strategies in pkg/registry/coordination. Coordinated
leader election is off, so what belongs to it is dropped. LeaseCandidates are no stable API.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from podward.decision import Decision
from podward.documents.raw_fields import member
from podward.schema.strategies import names, object_meta
from podward.schema.strategies.kind import by, changes, in_order, walks
from podward.schema.strategies.strategy import Strategy
from podward.schema.validation.rules import Inside, Pointer
from podward.schema.validation.values import NOT_NEGATIVE, at_least

if TYPE_CHECKING:
    from podward.api.json_value import JsonObject

_ELECTION = ("strategy", "preferredHolder")
_WALKS = walks(
    {
        "Lease": (Inside("spec", "LeaseSpec"),),
        "LeaseSpec": (
            Pointer("leaseDurationSeconds", at_least(1, "must be greater than 0")),
            Pointer("leaseTransitions", NOT_NEGATIVE),
        ),
    }
)
_SPEC = by("Lease", _WALKS)


def _without_election(obj: JsonObject) -> JsonObject:
    spec = member(obj, "spec")
    if all(name not in spec for name in _ELECTION):
        return obj
    return {**obj, "spec": {name: value for name, value in spec.items() if name not in _ELECTION}}


def _spec(obj: JsonObject, _old: JsonObject) -> Decision:
    return _SPEC(obj)


LEASE = Strategy(
    validate=in_order(object_meta.any_new(names.SUBDOMAIN, namespaced=True), _SPEC),
    validate_update=changes(object_meta.any_changed, _spec),
    prepare_for_create=_without_election,
    prepare_for_update=lambda obj, _old: _without_election(obj),
    allow_create_on_update=True,
    allow_unconditional_update=False,
)
