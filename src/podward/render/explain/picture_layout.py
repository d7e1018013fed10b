"""The layout of a picture: the rows of one container, or of a Pod as a whole, as a panel of parts with their places."""

from __future__ import annotations

from msgspec import json

from podward.api.explanation import Change
from podward.decision import Origin, Unknown
from podward.path import Path
from podward.render.colours import QUIET
from podward.render.escaping import wrapped
from podward.render.explain import value_text
from podward.render.explain.picture_parts import (
    BOX_HEIGHT,
    CALLOUT_LINE_HEIGHT,
    CAPTION_CELLS,
    CAPTION_LINE_HEIGHT,
    CHIP_STEP,
    COLUMN_WIDTH,
    EMPTY,
    FIRST_COLUMN_X,
    LEFT_MARGIN,
    OBSERVED_WIDTH,
    TEXT_CELL,
    Band,
    Callout,
    Caption,
    Chip,
    Column,
    Lane,
    Notice,
    Panel,
    Stop,
)
from podward.render.explain.row_types import KERNEL, CitedHint, CitedValue, ContainerRows, PodRows, Refusal, Row, Step

MOST_CHIPS = 3
_MOST_REASON_LINES = 2
_MOST_CALLOUT_LINES = 4

STAGES = {
    "admission": "what the API server stores",
    "node": "what the node refuses",
    "sandbox": "what the Pod shares",
    "volumes": "what is mounted for it",
    "effective": "what the kubelet makes of it",
    "cri": "what it asks the runtime for",
    "oci": "what the runtime writes",
    "kernel": "what the process will be",
}
"""The stages in order, each with a description; a column is drawn for each stage that decided something."""

TOPICS = {
    "admission": "how it was let in",
    "identity": "who it is",
    "privileges": "what it may do",
    "confinement": "how it is confined",
    "isolation": "what it shares",
    "files": "what it sees",
    "limits": "how much it gets",
}

HINT_ROWS = {
    "runAsUser": ("user",),
    "runAsGroup": ("group",),
    "runAsNonRoot": ("run as non-root", "user"),
    "supplementalGroups": ("groups",),
    "supplementalGroupsPolicy": ("groups",),
    "fsGroup": ("groups",),
    "hostUsers": ("uid map",),
    "privileged": ("privileged",),
    "allowPrivilegeEscalation": ("no_new_privs",),
    "capabilities": ("caps effective", "caps asked for"),
    "seccompProfile": ("seccomp",),
    "appArmorProfile": ("AppArmor",),
    "seLinuxOptions": ("SELinux",),
    "procMount": ("masked paths",),
    "readOnlyRootFilesystem": ("read-only root",),
}
"""For a hint about a field of a manifest: the rows at which it may be shown; the first one that is there is used."""


def container_panel(container: ContainerRows) -> Panel:
    """The panel of one container."""
    hints = (*(_note(unknown, container) for unknown in container.unknowns), *container.hints)
    return _Planner(container.rows, container.refusals, hints, observed=container.observed).panel(
        container.name, container.kind, container.image, container.where
    )


def _note(unknown: Unknown, container: ContainerRows) -> CitedHint:
    """Why values of the container are unknown, and how to know them, shown as a hint."""
    return CitedHint(value_text.UNKNOWN, Path(), container.where, unknown.why, unknown.remedy, ())


def pod_panel(pod: PodRows) -> Panel | None:
    """The panel of the Pod as a whole; None if nothing was decided about it."""
    if not pod.rows and not pod.refusals:
        return None
    planner = _Planner(pod.rows, pod.refusals, (), observed=False)
    return planner.panel("the Pod as a whole", pod.kind, "", pod.where)


def one_part_per_origin(step: Step) -> tuple[CitedValue, ...]:
    """One part for each kind of source; what somebody wrote comes before defaults and rules."""
    first = {part.source.origin: part for part in reversed(step.parts)}
    return tuple(sorted(first.values(), key=lambda part: (part.source.origin in QUIET, step.parts.index(part))))


def lost(before: str, after: str) -> tuple[str, ...]:
    """The items of a list that a stage dropped: `before` has them, and `after` has only other items of it, or none."""
    had, has = _items(before), _items(after)
    if not had or (after != EMPTY and (len(had) < 2 or not has or not set(has) <= set(had))):
        return ()
    return tuple(item for item in had if item not in has)


def _items(text: str) -> list[str]:
    """The items of a value. A capability set begins with their number; `all but` lists the ones that are not in it."""
    if text in (EMPTY, "no") or "all" in text.split(" ", 2)[:2]:
        return []
    head, colon, listed = text.partition(": ")
    return (listed if colon and head.isdigit() else text).split(" ")


class _Planner:
    """Lays out the rows from top to bottom; `_y` is how far it has come."""

    def __init__(
        self, rows: tuple[Row, ...], refusals: tuple[Refusal, ...], hints: tuple[CitedHint, ...], *, observed: bool
    ) -> None:
        self._rows = rows
        self._refusals = refusals
        self._hints = list(hints)
        self._columns = _columns(rows, refusals)
        self._x = {column.stage: column.x for column in self._columns}
        end = FIRST_COLUMN_X + COLUMN_WIDTH * max(len(self._columns), 1)
        self._observed = end if observed else 0.0
        self._width = end + (OBSERVED_WIDTH if observed else 0) + LEFT_MARGIN
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
        lines = tuple(
            wrapped(refusal.reason, int((self._width - 2 * LEFT_MARGIN - 28) / TEXT_CELL), _MOST_CALLOUT_LINES)
        )
        height = 34.0 + CALLOUT_LINE_HEIGHT * len(lines)
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
                for hint in [hint for hint in self._hints if _row_of_hint(hint, self._rows) == row.name]:
                    self._hints.remove(hint)
                    callouts.append(self._callout(hint, lane.y))
        self._y += 6
        band = Band(TOPICS.get(topic, topic), top, self._y - top, _chips(lanes), tuple(lanes), tuple(callouts))
        self._y += 8
        return band

    def _loose(self) -> Band:
        """A band with the hints about fields that have no lane."""
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
            flow = one_part_per_origin(step) if step.changed or not stops else stops[-1].flow
            shown = step.changed or before is None or step.stage == KERNEL
            stops.append(Stop(step, self._x[step.stage], flow, shown, captions))
        below = max((len(stop.captions) for stop in stops), default=0)
        chips = min(len(_sources(row)), MOST_CHIPS)
        top = self._y
        lane = Lane(row, top + 4 + BOX_HEIGHT / 2, tuple(stops), quiet)
        self._y += max(
            8 + BOX_HEIGHT + CAPTION_LINE_HEIGHT * below + (4 if below else 0),
            8 + CHIP_STEP * chips if chips > 1 else 0,
        )
        return lane

    def _callout(self, hint: CitedHint, points_at: float) -> Callout:
        room = int((self._width - FIRST_COLUMN_X - LEFT_MARGIN - 50) / TEXT_CELL)
        problem = tuple(wrapped(hint.problem, room - 4, _MOST_CALLOUT_LINES))  # bold is wider
        remedy = tuple(wrapped(hint.remedy, room - 2, _MOST_CALLOUT_LINES))
        changes = tuple(_assignment(change) for change in hint.changes)
        height = 16.0 + CALLOUT_LINE_HEIGHT * (len(problem) + len(remedy) + len(changes) + 1)
        callout = Callout(hint, self._y + 8, height, problem, remedy, changes, points_at)
        self._y += height + 18
        return callout


def _columns(rows: tuple[Row, ...], refusals: tuple[Refusal, ...]) -> tuple[Column, ...]:
    """A column for each stage that is there; after a refusal, also for the stages that are not reached."""
    there = {step.stage for row in rows for step in row.steps} | {refusal.stage for refusal in refusals}
    order = list(STAGES)
    wanted = [stage for stage in order if stage in there] + sorted(there - STAGES.keys())
    missing: list[str] = []
    if refusals and there & {"effective", "cri", "oci"}:
        last = max(order.index(stage) for stage in there if stage in STAGES)
        missing = order[last + 1 :]
    return tuple(
        Column(stage, STAGES.get(stage, ""), FIRST_COLUMN_X + COLUMN_WIDTH * index, stage not in missing)
        for index, stage in enumerate([*wanted, *missing])
    )


def _captions(step: Step, before: Step | None) -> tuple[Caption, ...]:
    """The captions below a stop: new sources, each with its reason, and what was dropped."""
    found: list[Caption] = []
    known = {(part.where, part.source.origin) for part in before.parts} if before else set()
    new_parts = [part for part in step.parts if (part.where, part.source.origin) not in known] if before else []
    for part in new_parts[:MOST_CHIPS]:
        found.append(Caption("source", part.where, part=part))
        found += _reason(part.reason)
    if len(new_parts) > MOST_CHIPS:
        found.append(Caption("more", f"and {len(new_parts) - MOST_CHIPS} more"))
    if not new_parts:
        found += _reason(one_part_per_origin(step)[0].reason)
    dropped = lost(before.text, step.text) if before else ()
    if dropped:
        found.append(Caption("lost", " ".join(dropped), all=step.text == EMPTY))
    return tuple(found)


def _reason(reason: str) -> list[Caption]:
    return [Caption("reason", line) for line in wrapped(reason, CAPTION_CELLS, _MOST_REASON_LINES)]


def _sources(row: Row) -> dict[tuple[str, Origin], CitedValue]:
    """The sources of the first stage's value, each once."""
    found: dict[tuple[str, Origin], CitedValue] = {}
    for part in row.steps[0].parts:
        found.setdefault((part.where, part.source.origin), part)
    return found


def _chips(lanes: list[Lane]) -> tuple[Chip, ...]:
    """The chips of a band's lanes; neighbouring lanes with the same sources share their chips."""
    chips: list[Chip] = []
    run: list[Lane] = []
    for lane in lanes:
        if run and _sources(run[0].row).keys() != _sources(lane.row).keys():
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
        Chip(part, middle + CHIP_STEP * index, ys, len(parts) - len(shown) if index == len(shown) - 1 else 0)
        for index, part in enumerate(shown)
    ]


def _row_of_hint(hint: CitedHint, rows: tuple[Row, ...]) -> str:
    """The name of the row that a hint belongs to: the row of its field, or a row that its field decided; else empty."""
    names = {row.name for row in rows}
    for segment in reversed(hint.path.segments):
        for name in HINT_ROWS.get(segment, ()) if isinstance(segment, str) else ():
            if name in names:
                return name
    for row in rows:
        for step in row.steps:
            for part in step.parts:
                written = part.source.path if part.source.origin is Origin.MANIFEST else None
                if written is not None and written.segments and hint.path.startswith(written):
                    return row.name
    return ""


def _assignment(change: Change) -> str:
    """A change of the manifest as one line; the value is JSON, which is also YAML."""
    return f"remove {change.path}" if change.value is None else f"{change.path}: {json.encode(change.value).decode()}"
