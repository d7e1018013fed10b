"""The steps that a request goes through: what one is asked, what comes of it, and which requests it looks at."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.admission import PODS, AdmissionRequest, Operation
from podward.decision import Decision
from podward.documents.patching import overlaid
from podward.schema.view import pod_view

if TYPE_CHECKING:  # `podward run` asks for no policy, and these take longer to import than to use
    from podward.api.core import Pod
    from podward.api.json_value import JsonObject
    from podward.policy.pss.verdict import Verdict
    from podward.policy.scc.request import RequestFacts
    from podward.policy.scc.selection import Selection
    from podward.stages.admission.cluster import AdmissionFacts


class Phase(Enum):
    """Who does a step: the registry, which defaults, completes and validates objects, or a plugin of either phase."""

    REGISTRY = "registry"
    MUTATING = "mutating"
    VALIDATING = "validating"


class Asked:
    """What a step is asked: the request, the cluster, and the object as the steps before have left it.

    What they have set is put into the object, and the view of it made, when somebody first looks.
    """

    __slots__ = ("_decision", "_pod", "_raw", "facts")

    def __init__(self, facts: AdmissionFacts, raw: JsonObject, decision: Decision | None = None) -> None:
        self.facts = facts
        self._raw = raw
        self._decision = decision
        self._pod: Pod | None = None

    @property
    def raw(self) -> JsonObject:
        """The object."""
        if self._decision is not None:
            self._raw, self._decision = overlaid(self._raw, self._decision), None
        return self._raw

    @property
    def pod(self) -> Pod:
        """The view of the object, which must be a Pod."""
        if self._pod is None:
            self._pod = pod_view(self.raw)
        return self._pod


class Outcome(Struct, frozen=True):
    """What a step decided: what it sets, or why it refuses.

    `invalid`: the violations are validation's, each about one field; otherwise each is a whole sentence of the API
    server. `would_set` is what a plugin that refuses would have set: what comes closest to a permission. `selection`
    and `request` are an SCC pass and what it was asked, `verdict` is Pod Security's. `warnings` are for the client.
    """

    decision: Decision = Decision()
    invalid: bool = False
    would_set: Decision = Decision()
    selection: Selection | None = None
    request: RequestFacts | None = None
    verdict: Verdict | None = None
    warnings: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether the request ends here."""
        return self.decision.refused


NOTHING = Outcome()
"""The outcome of a step that has no say in the request."""


class Step(Struct, frozen=True):
    """A row of the table of steps: its name, who does it, which requests it looks at, and what decides."""

    name: str
    phase: Phase
    handles: Callable[[AdmissionRequest], bool]
    decide: Callable[[Asked], Outcome]


def creates_pod(request: AdmissionRequest) -> bool:
    """Whether a Pod is to be created."""
    return request.operation is Operation.CREATE and request.resource == PODS and not request.subresource


EPHEMERAL_CONTAINERS = "ephemeralcontainers"
"""The subresource through which ephemeral containers come into a Pod that is there."""


def adds_ephemeral_containers(request: AdmissionRequest) -> bool:
    """Whether ephemeral containers are added to a Pod that is there."""
    updates = request.operation is Operation.UPDATE and request.resource == PODS
    return updates and request.subresource == EPHEMERAL_CONTAINERS


def writes_pod(request: AdmissionRequest) -> bool:
    """Whether a Pod is created or updated, as a whole or through a subresource."""
    return request.resource == PODS and writes(request) and request.subresource not in _OTHER_OBJECTS


def writes(request: AdmissionRequest) -> bool:
    """Whether an object is created or updated."""
    return request.operation is Operation.CREATE or request.operation is Operation.UPDATE


_OTHER_OBJECTS = frozenset(("attach", "binding", "eviction", "exec", "log", "portforward", "proxy"))
"""Subresources of Pods whose objects are no Pods."""
