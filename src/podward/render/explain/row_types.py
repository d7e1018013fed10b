"""The values that the renderers of `explain` show: rows of security fields, refusals, hints, the ranking of SCCs.

`rows` makes them from an explanation.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.explanation import Change
from podward.decision import Origin, Source, Unknown
from podward.path import Path

KERNEL = "kernel"
"""The stage whose values are the prediction."""
_SOMEBODY = frozenset((Origin.MANIFEST, Origin.POLICY, Origin.IMAGE))


class CitedValue(Struct, frozen=True, gc=False):
    """A value, or one item of a list, as text: with its reason, its source, and the place of the source.

    `where` is `file:line` for a manifest and for a policy in a file; for any other source it is the source's own name
    ("containerd 2.2", "IMAGE /etc/group:6"). `unknown` says why the value is unknown, and how to know it.
    """

    text: str
    reason: str
    source: Source
    where: str
    unknown: Unknown | None = None

    @property
    def written(self) -> bool:
        """Whether `where` is `file:line` of a manifest or of a policy's file."""
        origin = self.source.origin
        return origin is Origin.MANIFEST or (origin is Origin.POLICY and self.where != str(self.source))


class Step(Struct, frozen=True, gc=False):
    """A field's value at one stage: `text` is the whole value, `brief` a short form.

    `path` is the value's place in the stage's result. `parts` has one item; for a list whose items have different
    sources, one for each item. `changed` is whether the text differs from that of the stage before.
    """

    stage: str
    path: Path
    text: str
    brief: str
    parts: tuple[CitedValue, ...]
    changed: bool


class Row(Struct, frozen=True, gc=False):
    """One security field; rows with the same `topic` (identity, privileges, …) belong together.

    `predicted` and `observed` are the kernel's values as text; they are empty if there are none.
    """

    name: str
    topic: str
    steps: tuple[Step, ...]
    predicted: str = ""
    predicted_brief: str = ""
    observed: str = ""

    @property
    def differs(self) -> bool:
        """Whether the observed value is not the predicted one."""
        return bool(self.observed) and self.observed != self.predicted

    @property
    def decided(self) -> bool:
        """Whether somebody decided it: in the manifest, a policy or the image. Else it is as the defaults have it."""
        origins = {part.source.origin for step in self.steps for part in step.parts}
        return bool(origins & _SOMEBODY)

    @property
    def unknown(self) -> bool:
        """Whether nobody knows a value of it, not only what the kernel will make of one."""
        return any(part.unknown is not None for step in self.steps if step.stage != KERNEL for part in step.parts)


class Refusal(Struct, frozen=True, gc=False):
    """A refusal by a stage; `where` is the line of the refused field, or of the innermost field around it.

    `next_command` is what to type to learn more, or to change the answer.
    """

    stage: str
    path: Path
    value: str
    reason: str
    source: Source
    where: str
    next_command: str = ""


class CitedHint(Struct, frozen=True, gc=False):
    """A hint with the `file:line` of the field that it is about."""

    name: str
    path: Path
    where: str
    problem: str
    remedy: str
    changes: tuple[Change, ...]


class RankedScc(Struct, frozen=True, gc=False):
    """An SCC of the ranking; `where` is its `file:line`, empty if it is in no file.

    `outcome` is `chosen`, `not usable`, `refused`, `would change the Pod` or `not tried`. `points` are its
    restrictiveness by item; `place` is its place in the order of trying, from 1.
    """

    name: str
    where: str
    priority: int
    points: tuple[tuple[str, int], ...]
    outcome: str
    reason: str
    refusals: tuple[Refusal, ...]
    place: int = 0

    @property
    def total(self) -> int:
        """The sum of its points."""
        return sum(number for _, number in self.points)

    @property
    def points_text(self) -> str:
        """The points with their sum: `42500 = volumes 100000 + …`; only the sum if there are less than two items."""
        if len(self.points) < 2:
            return str(self.total)
        return f"{self.total} = " + " + ".join(f"{name} {number}" for name, number in self.points)


class SccRanking(Struct, frozen=True, gc=False):
    """How admission chose: the users who asked (`caller`, the Pod's `account`), the SCCs in order, Pod Security."""

    caller: str
    account: str
    sccs: tuple[RankedScc, ...]
    verdicts: tuple[str, ...]
    note: str = ""
    folded: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """SCCs that are told by their names alone, each group with what became of it."""

    @property
    def asked_by(self) -> str:
        """A sentence about the users whose rights counted."""
        account = f" and {self.account}" if self.account else ""
        note = f": SCCs do not matter ({self.note})" if self.note else ""
        return f"asked by {self.caller}{account}{note}"


class ContainerRows(Struct, frozen=True, gc=False):
    """One container; `where` is its `file:line`, `unknowns` are the reasons why values of its rows are unknown.

    `verdict` is one line about the whole of it.
    """

    name: str
    kind: str
    image: str
    where: str
    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]
    hints: tuple[CitedHint, ...]
    observed: bool
    unknowns: tuple[Unknown, ...] = ()
    verdict: str = ""


class PodRows(Struct, frozen=True, gc=False):
    """One Pod; `rows` and `refusals` are about the Pod as a whole.

    `verdict` is about a Pod that is refused as a whole; `folded` is the number of rows that were left out; `notes` are
    sentences about its volumes.
    """

    name: str
    namespace: str
    kind: str
    where: str
    rows: tuple[Row, ...]
    refusals: tuple[Refusal, ...]
    containers: tuple[ContainerRows, ...]
    admission: SccRanking | None = None
    verdict: str = ""
    folded: int = 0
    notes: tuple[str, ...] = ()

    @property
    def unknowns(self) -> tuple[Unknown, ...]:
        """Why values of the Pod's own rows are unknown, each reason once."""
        parts = (part for row in self.rows for step in row.steps for part in step.parts)
        return tuple(dict.fromkeys(part.unknown for part in parts if part.unknown is not None))

    @property
    def verdicts(self) -> tuple[str, ...]:
        """The verdict about the Pod, or about each container; those of whom the same is said share a line."""
        said: dict[str, list[str]] = {}
        for container in self.containers:
            if container.verdict:
                said.setdefault(container.verdict, []).append(container.name)
        alone = len(self.containers) == 1
        lines = (verdict if alone else f"{', '.join(names)}: {verdict}" for verdict, names in said.items())
        return (self.verdict, *lines) if self.verdict else tuple(lines)
