"""What `explain` shows of a Pod: the Decisions of the stages, as they were made, and the hints about them.

Nothing is decided here and nothing is computed a second time: renderers read these values and nothing else.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.process import ProcessState
from podward.decision import Decision, Source, Unknown, Value, Violation
from podward.path import Path


class Stage(Struct, frozen=True):
    """One stage's Decision: `admission`, `node`, `effective`, `cri`, `oci` or `kernel`, and a few between."""

    name: str
    decision: Decision


class Change(Struct, frozen=True, gc=False):
    """A field of the manifest to set to `value` (None removes it); `path` is its place in the user's document."""

    path: Path
    value: Value


class Hint(Struct, frozen=True, gc=False):
    """Something that will surprise, and the smallest change of the manifest that cures it.

    `name` is the rule's (`capability-without-root`), also of its documentation page; `path` the field of the user's
    document that it is about; `problem` one sentence; `remedy` one sentence, with `changes` that do it (empty where the
    cure is not in the manifest). `source` says who decided what the hint is about.
    """

    name: str
    container: str
    path: Path
    problem: str
    remedy: str
    changes: tuple[Change, ...]
    source: Source


class Considered(Struct, frozen=True):
    """A SecurityContextConstraints that admission considered: one line of the ranking.

    `points` are its restrictiveness by item, fewest first in the ranking. `outcome` is `chosen`, `not usable` (by
    nobody who asked), `refused` (its violations say why) or `not tried` (nobody came to it); `reason` one sentence.
    """

    name: str
    priority: int
    points: tuple[tuple[str, int], ...]
    outcome: str
    reason: str
    violations: tuple[Violation, ...] = ()


class Admission(Struct, frozen=True):
    """How the API server's admission came to its Decision about a Pod.

    `caller` and `account` are the users whose rights counted; `verdicts` is what Pod Security says, one sentence each.
    `note` says why SCCs were not tried, where they are none of this Pod's business.
    """

    caller: str
    account: str
    considered: tuple[Considered, ...]
    verdicts: tuple[str, ...] = ()
    note: str = ""


class ContainerExplanation(Struct, frozen=True):
    """One container: its place in the document, the stages in order (those after a refusal are missing), the hints.

    `predicted` is the kernel stage's fold, None where a part of it is unknown; `observed` what the kernel said, where
    the container was run.
    """

    name: str
    kind: str
    place: Path
    image: str
    stages: tuple[Stage, ...]
    hints: tuple[Hint, ...] = ()
    predicted: ProcessState | None = None
    observed: ProcessState | None = None

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """Why values of it are not known, each reason once."""
        return tuple(dict.fromkeys(unknown for stage in self.stages for unknown in stage.decision.unknowns))


class PodExplanation(Struct, frozen=True):
    """One Pod: its workload, what was decided about it as a whole (admission, sandbox), and its containers."""

    name: str
    namespace: str
    kind: str
    document: str
    place: Path
    stages: tuple[Stage, ...]
    containers: tuple[ContainerExplanation, ...]
    admission: Admission | None = None
