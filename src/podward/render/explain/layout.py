"""Where everything of the picture stands: the rows of one container (or of a Pod as a whole) as lanes of a panel.

A lane is one security field. It begins at the left at the chips of the sources that decided it, and runs to the right
through a column for each stage. Where a stage changes the value, there is a stop with captions that say who and why;
elsewhere the lane runs through. Lanes are in bands by topic, and neighbours decided by the same source share its chip.
Units are those of the SVG's view box; `y` grows downward, from the panel's top.
"""

from __future__ import annotations

from msgspec import Struct

from podward.decision import Origin
from podward.render.explain.colours import QUIET
from podward.render.explain.inert import wrapped
from podward.render.explain.rows import ContainerRows, Part, PodRows, Refusal, Row, ShownHint, Step

LEFT = 20
CHIP_WIDTH = 226
NAME = 306
FIRST = 452
COLUMN = 216
OBSERVED = 150
PILL = 24
CAPTION_LINE = 14
CAPTION_CELLS = 33
CALLOUT_LINE = 17
CALLOUT_CELLS = 106
MOST_CHIPS = 3
_MOST_REASON_LINES = 2
_MOST_CALLOUT_LINES = 4
_NOTHING = "none"

STAGES = {
    "admission": "what the API server stores",
    "sandbox": "what the Pod shares",
    "volumes": "what is mounted for it",
    "effective": "what the kubelet makes of it",
    "cri": "what it asks the runtime for",
    "oci": "what the runtime writes",
    "kernel": "what the process will be",
}
"""The stages in order, in plain words; a column is drawn for those that decided something."""

TOPICS = {
    "identity": "who it is",
    "privileges": "what it may do",
    "confinement": "how it is confined",
    "isolation": "what it shares",
    "files": "what it sees",
    "limits": "how much it gets",
}


class Column(Struct, frozen=True, gc=False):
    """A stage's column; `x` is its left edge. `reached` is false for stages after a refusal."""

    stage: str
    words: str
    x: float
    reached: bool = True


class Caption(Struct, frozen=True, gc=False):
    """A line below a stop; `kind` is `source`, `reason`, `lost` or `more`. `part` is what a `source` names."""

    kind: str
    text: str
    full: str = ""
    part: Part | None = None


class Stop(Struct, frozen=True, gc=False):
    """A stage on a lane's way; `captions` only where it changed the value."""

    step: Step
    x: float
    captions: tuple[Caption, ...]

    @property
    def empty(self) -> bool:
        """Whether there is nothing left of the value."""
        return self.step.text == _NOTHING


class Lane(Struct, frozen=True, gc=False):
    """A field's line at `y`; `quiet` where nobody wrote anything and nothing happened to it."""

    row: Row
    y: float
    stops: tuple[Stop, ...]
    quiet: bool


class Chip(Struct, frozen=True, gc=False):
    """A source at the beginning of lanes: its centre `y`, and the `lanes` that it feeds. `more`: how many are untold."""

    part: Part
    y: float
    lanes: tuple[float, ...]
    more: int = 0


class Callout(Struct, frozen=True, gc=False):
    """A hint below the lane it is about, pointing at `points_at` (0: at none)."""

    hint: ShownHint
    y: float
    height: float
    problem: tuple[str, ...]
    remedy: tuple[str, ...]
    changes: tuple[str, ...]
    points_at: float


class Notice(Struct, frozen=True, gc=False):
    """A refusal, at the top of its panel."""

    refusal: Refusal
    y: float
    height: float
    lines: tuple[str, ...]


class Band(Struct, frozen=True, gc=False):
    """The lanes of one topic."""

    title: str
    y: float
    height: float
    chips: tuple[Chip, ...]
    lanes: tuple[Lane, ...]
    callouts: tuple[Callout, ...]


class Panel(Struct, frozen=True, gc=False):
    """One container, or the Pod as a whole (`kind` is then `Pod`)."""

    name: str
    kind: str
    image: str
    where: str
    columns: tuple[Column, ...]
    notices: tuple[Notice, ...]
    bands: tuple[Band, ...]
    observed: float
    width: float
    height: float


def container_panel(container: ContainerRows) -> Panel:
    """The panel of one container."""
    return _Planner(container.rows, container.refusals, container.hints, observed=container.observed).panel(
        container.name, container.kind, container.image, container.where
    )


def pod_panel(pod: PodRows) -> Panel | None:
    """The panel of what was decided about the Pod as a whole, if anything was."""
    if not pod.rows and not pod.refusals:
        return None
    return _Planner(pod.rows, pod.refusals, (), observed=False).panel(pod.name, pod.kind, "", pod.where)


def leading(step: Step) -> Part:
    """The part that gives the lane its colour: what somebody wrote goes before defaults and rules."""
    return next((part for part in step.parts if part.source.origin not in QUIET), step.parts[0])


def lost(before: str, after: str) -> tuple[str, ...]:
    """The items of a list that a stage dropped: `before` had them, and `after` has some of the rest or nothing."""
    had, has = _items(before), _items(after)
    if not had or (after != _NOTHING and (len(had) < 2 or not has or not set(has) <= set(had))):
        return ()
    return tuple(item for item in had if item not in has)


def _items(text: str) -> list[str]:
    """Words of a value; a capability set says first how many it has, and `all but` names what it has not."""
    if text in (_NOTHING, "no") or "all" in text.split(" ", 2)[:2]:
        return []
    head, colon, listed = text.partition(": ")
    return (listed if colon and head.isdigit() else text).split(" ")


class _Planner:
    """Walks the rows from top to bottom; `_y` is how far it is."""

    def __init__(
        self, rows: tuple[Row, ...], refusals: tuple[Refusal, ...], hints: tuple[ShownHint, ...], *, observed: bool
    ) -> None:
        self._rows = rows
        self._refusals = refusals
        self._hints = list(hints)
        self._columns = _columns(rows, refusals)
        self._x = {column.stage: column.x for column in self._columns}
        end = FIRST + COLUMN * max(len(self._columns), 1)
        self._observed = end if observed else 0.0
        self._width = end + (OBSERVED if observed else 0) + LEFT
        self._y = 0.0

    def panel(self, name: str, kind: str, image: str, where: str) -> Panel:
        self._y = 96.0
        notices = tuple(self._notice(refusal) for refusal in self._refusals)
        topics = list(dict.fromkeys(row.topic for row in self._rows))
        bands = [self._band(topic) for topic in topics]
        if self._hints:
            bands.append(self._loose())
        return Panel(
            name, kind, image, where, self._columns, notices, tuple(bands), self._observed, self._width, self._y + 8
        )

    def _notice(self, refusal: Refusal) -> Notice:
        lines = tuple(wrapped(refusal.reason, CALLOUT_CELLS, _MOST_CALLOUT_LINES))
        height = 34.0 + CALLOUT_LINE * len(lines)
        notice = Notice(refusal, self._y, height, lines)
        self._y += height + 10
        return notice

    def _band(self, topic: str) -> Band:
        top = self._y
        self._y += 26
        lanes: list[Lane] = []
        callouts: list[Callout] = []
        for row in self._rows:
            if row.topic == topic:
                lane = self._lane(row)
                lanes.append(lane)
                for hint in [hint for hint in self._hints if _concerns(hint, row)]:
                    self._hints.remove(hint)
                    callouts.append(self._callout(hint, lane.y))
        self._y += 6
        band = Band(TOPICS.get(topic, topic), top, self._y - top, _chips(lanes), tuple(lanes), tuple(callouts))
        self._y += 8
        return band

    def _loose(self) -> Band:
        """The hints about fields that have no lane."""
        top = self._y
        self._y += 30
        callouts = tuple(self._callout(hint, 0.0) for hint in self._hints)
        return Band("also worth knowing", top, self._y - top, (), (), callouts)

    def _lane(self, row: Row) -> Lane:
        stops: list[Stop] = []
        quiet = all(part.source.origin in QUIET for step in row.steps for part in step.parts) and not any(
            step.changed for step in row.steps[1:]
        )
        for index, step in enumerate(row.steps):
            before = row.steps[index - 1] if index else None
            captions = () if quiet or not step.changed else _captions(step, before)
            stops.append(Stop(step, self._x[step.stage] if step.stage in self._x else FIRST, captions))
        below = max((len(stop.captions) for stop in stops), default=0)
        chips = min(len(_sources(row)), MOST_CHIPS)
        top = self._y
        lane = Lane(row, top + 4 + PILL / 2, tuple(stops), quiet)
        self._y += max(8 + PILL + CAPTION_LINE * below + (4 if below else 0), 8 + 28 * chips if chips > 1 else 0)
        return lane

    def _callout(self, hint: ShownHint, points_at: float) -> Callout:
        problem = tuple(wrapped(hint.problem, CALLOUT_CELLS, _MOST_CALLOUT_LINES))
        remedy = tuple(wrapped(hint.remedy, CALLOUT_CELLS - 8, _MOST_CALLOUT_LINES))
        changes = tuple(f"{change.path}: {_yaml(change.value)}" for change in hint.changes)
        height = 16.0 + CALLOUT_LINE * (len(problem) + len(remedy) + len(changes))
        callout = Callout(hint, self._y + 8, height, problem, remedy, changes, points_at)
        self._y += height + 18
        return callout


def _columns(rows: tuple[Row, ...], refusals: tuple[Refusal, ...]) -> tuple[Column, ...]:
    """A column for each stage that is there; after a refusal the rest of a container's way, which is not reached."""
    there = {step.stage for row in rows for step in row.steps} | {refusal.stage for refusal in refusals}
    order = list(STAGES)
    wanted = [stage for stage in order if stage in there] + sorted(there - STAGES.keys())
    missing: list[str] = []
    if refusals and there & {"effective", "cri", "oci"}:
        last = max(order.index(stage) for stage in there if stage in STAGES)
        missing = order[last + 1 :]
    return tuple(
        Column(stage, STAGES.get(stage, ""), FIRST + COLUMN * index, stage not in missing)
        for index, stage in enumerate([*wanted, *missing])
    )


def _captions(step: Step, before: Step | None) -> tuple[Caption, ...]:
    """Below a stop: new sources, each with its reason, and what was dropped."""
    found: list[Caption] = []
    known = {(part.where, part.source.origin) for part in before.parts} if before else set()
    told = [part for part in step.parts if (part.where, part.source.origin) not in known] if before else []
    for part in told[:MOST_CHIPS]:
        found.append(Caption("source", part.where, part=part))
        found += _reason(part.reason)
    if len(told) > MOST_CHIPS:
        found.append(Caption("more", f"and {len(told) - MOST_CHIPS} more"))
    if not told:
        found += _reason(leading(step).reason)
    dropped = lost(before.text, step.text) if before else ()
    if dropped:
        found.append(Caption("lost", " ".join(dropped), full=f"dropped: {' '.join(dropped)}"))
    return tuple(found)


def _reason(reason: str) -> list[Caption]:
    return [Caption("reason", line, full=reason) for line in wrapped(reason, CAPTION_CELLS, _MOST_REASON_LINES)]


def _sources(row: Row) -> dict[tuple[str, Origin], Part]:
    """Who decided the first stage's value, each once."""
    found: dict[tuple[str, Origin], Part] = {}
    for part in row.steps[0].parts:
        found.setdefault((part.where, part.source.origin), part)
    return found


def _chips(lanes: list[Lane]) -> tuple[Chip, ...]:
    """The chips of a band's lanes; a run of lanes with one and the same source shares one, at its middle."""
    chips: list[Chip] = []
    run: list[Lane] = []
    for lane in lanes:
        if run and _sources(run[0]. row).keys() != _sources(lane.row).keys():
            chips += _run_chips(run)
            run = []
        run.append(lane)
    return tuple(chips + _run_chips(run))


def _run_chips(run: list[Lane]) -> list[Chip]:
    if not run:
        return []
    parts = list(_sources(run[0].row).values())
    shown = parts[:MOST_CHIPS]
    ys = tuple(lane.y for lane in run)
    middle = (ys[0] + ys[-1]) / 2 if len(ys) > 1 else ys[0]
    return [
        Chip(part, middle + 28 * index, ys, len(parts) - len(shown) if index == len(shown) - 1 else 0)
        for index, part in enumerate(shown)
    ]


def _concerns(hint: ShownHint, row: Row) -> bool:
    """Whether the hint is about a field that decided this row."""
    return any(
        part.source.origin is Origin.MANIFEST
        and part.source.path is not None
        and (part.source.path.startswith(hint.path) or hint.path.startswith(part.source.path))
        for step in row.steps
        for part in step.parts
    )


def _yaml(value: object) -> str:
    """A value of a change, short."""
    if value is None:
        return "(remove it)"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
