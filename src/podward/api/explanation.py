"""What `explain` shows of a Pod: the Decisions of the stages, unchanged, and the hints about them.

Nothing is decided or computed here; the renderers read only these values.
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
    """A field of a manifest that does not do what its author may expect, and the smallest change that helps.

    `name` is the name of the hint's rule (`capability-without-root`) and of its documentation page. `path` is the field
    in the user's document. `problem` and `remedy` are one sentence each. `changes` do what `remedy` says; they are
    empty if the remedy is not in the manifest. `source` is the source of the value that the hint is about.
    """

    name: str
    container: str
    path: Path
    problem: str
    remedy: str
    changes: tuple[Change, ...]
    source: Source


class ConsideredScc(Struct, frozen=True):
    """A SecurityContextConstraints that admission considered: one line of the ranking.

    `points` are its restrictiveness by item; the SCC with the fewest points is tried first. `outcome` is `chosen`,
    `not usable` (neither the caller nor the service account may use it), `refused` (its violations say why) or
    `not tried` (an earlier SCC was chosen). `reason` is one sentence.
    """

    name: str
    priority: int
    points: tuple[tuple[str, int], ...]
    outcome: str
    reason: str
    violations: tuple[Violation, ...] = ()


class AdmissionExplanation(Struct, frozen=True):
    """How the API server's admission came to its Decision about a Pod.

    `caller` and `account` are the users whose rights counted. `verdicts` are sentences about what Pod Security says.
    `note` says why no SCC was tried, if none applies to this Pod.
    """

    caller: str
    account: str
    considered: tuple[ConsideredScc, ...]
    verdicts: tuple[str, ...] = ()
    note: str = ""


class ContainerExplanation(Struct, frozen=True):
    """One container: its place in the document, its stages in order (none after a refusal), and its hints.

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
    """One Pod: its workload, the stages about the Pod as a whole (admission, sandbox), and its containers."""

    name: str
    namespace: str
    kind: str
    document: str
    place: Path
    stages: tuple[Stage, ...]
    containers: tuple[ContainerExplanation, ...]
    admission: AdmissionExplanation | None = None
