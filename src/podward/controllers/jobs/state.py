"""A Job as it is looked at: its Pods as they count, and what is to be done."""

from __future__ import annotations

from msgspec import Struct, field

from podward.api.json_value import JsonObject
from podward.controllers.jobs import backoff
from podward.controllers.jobs.indexes import Intervals, index_of
from podward.controllers.jobs.pods_of import is_indexed, is_tracked
from podward.documents.raw_fields import member


class Wanted(Struct):
    """What is to be done about Pods. `stripped`: those that go lose their finalizer first, and are not counted.

    `again`: in how many seconds the Job is to be looked at, whatever happens.
    """

    removed: list[JsonObject] = []
    stripped: bool = False
    made: list[int | None] = []
    again: list[float] = []


class Evaluation(Struct):
    """A Job as it is looked at. `status` is the one to be written, and changes on the way."""

    job: JsonObject
    pods: list[JsonObject]
    now: float
    status: JsonObject = {}
    active: int = 0
    ready: int = 0
    terminating: int = 0
    succeeded: int = 0
    failed: int = 0
    record: backoff.Record = backoff.Record()
    finished: JsonObject | None = None
    """The condition with which the Job ends."""
    before: Intervals = Intervals()
    succeeded_indexes: Intervals = Intervals()
    failed_indexes: Intervals | None = None
    delayed: dict[int, JsonObject] = {}
    """The Pods that failed last of indexes that are to be tried again: they stay until their replacements are there."""
    wanted: Wanted = field(default_factory=Wanted)

    @property
    def spec(self) -> JsonObject:
        """The Job's spec."""
        return member(self.job, "spec")

    @property
    def completions(self) -> int | None:
        """How many Pods have to succeed; None where one is enough."""
        found = self.spec.get("completions")
        return found if isinstance(found, int) else None

    @property
    def uncounted(self) -> JsonObject:
        """The Pods that have ended and are not in the counters yet."""
        return member(self.status, "uncountedTerminatedPods")

    @property
    def suspended(self) -> bool:
        """Whether the Job is to rest."""
        return self.spec.get("suspend") is True


class Told(Struct, frozen=True):
    """An event of the Job's."""

    kind: str
    reason: str
    message: str


def is_valid(this: Evaluation, pod: JsonObject) -> bool:
    """Whether the Pod may still be counted."""
    if not is_tracked(pod) or not is_indexed(this.job):
        return is_tracked(pod)
    return is_valid_index(this, index_of(pod))


def is_valid_index(this: Evaluation, index: int | None) -> bool:
    """Whether the Job has this index."""
    return index is not None and this.completions is not None and index < this.completions
