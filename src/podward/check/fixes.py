"""Which changes of findings `--fix` makes: none that would make the Pod one that no API server accepts.

Policies do not know each other's fields, and their remedies do not either. For example, a CSI driver's container that
is no longer privileged may not have `mountPropagation: Bidirectional`, and no program can know whether it works
without. So a change is not made if validation then refuses something that it did not refuse before; nor is
`runAsNonRoot` set where an image that is here would not start with it (`image_users`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence

from msgspec import Struct

from podward.api.explanation import Change
from podward.api.finding import Finding, Severity
from podward.api.json_value import Json, JsonObject
from podward.api.report import family_of
from podward.check import image_users
from podward.check.image_users import FindImage
from podward.documents.editing.edited_value import changed
from podward.path import Key, Path
from podward.schema.workload import PodSource
from podward.stages.admission.order import by_registry

_MAY_GO = frozenset(("annotations", "capabilities", "seLinuxOptions", "securityContext", "sysctls", "windowsOptions"))
"""Objects and lists that mean nothing if they are empty, so they may be removed."""


def is_to_fix(finding: Finding, select: Collection[str]) -> bool:
    """Whether `--fix` fixes the finding: it has changes, and it is an error or its rule or family is selected."""
    if not finding.changes:
        return False
    return finding.severity is Severity.ERROR or finding.rule in select or family_of(finding.rule) in select


class FixableFindings(Struct, frozen=True):
    """Findings whose changes can be made together, and the others, each with a sentence that says why not.

    `said` are sentences about changes that were added.
    """

    fixable: tuple[Finding, ...]
    unfixable: tuple[tuple[Finding, str], ...]
    said: tuple[str, ...] = ()


def split_fixable(source: PodSource, findings: Sequence[Finding], find: FindImage) -> FixableFindings:
    """Split the findings about this workload, all of which have changes, into fixable and unfixable ones.

    `find` finds the images that are here.
    """
    suited = image_users.suited(source, findings, find)
    refused = tuple((each.finding, each.refusal) for each in suited if each.refusal)
    said = tuple(text for each in suited for text in each.said)
    found = _accepted(source, [each.finding for each in suited if not each.refusal])
    return FixableFindings(found.fixable, (*refused, *found.unfixable), said)


def _accepted(source: PodSource, findings: Sequence[Finding]) -> FixableFindings:
    """Those after whose changes the API server takes the Pod, and the others."""
    tolerated = _faults(source.raw, source.kind)
    fixable: list[Finding] = []
    left = list(findings)
    reasons: list[str] = []
    while left:
        later: list[tuple[Finding, str]] = []
        _accept(source, left, tolerated, fixable, later)
        reasons = [reason for _, reason in later]
        if len(later) == len(left):  # no change makes another one possible any more
            break
        left = [finding for finding, _ in later]
    kept = set(map(id, fixable))
    in_order = tuple(finding for finding in findings if id(finding) in kept)
    return FixableFindings(in_order, tuple(zip(left, reasons, strict=True)))


def _accept(
    source: PodSource,
    group: Sequence[Finding],
    tolerated: set[str],
    fixable: list[Finding],
    later: list[tuple[Finding, str]],
) -> None:
    """Add those of the group to `fixable` whose changes can be made with those there, the others to `later`.

    Halves are tried apart only where the whole is refused: a Pod may have thousands of findings, and few are refused.
    """
    new = _new_faults(source, [*fixable, *group], tolerated)
    if not new:
        fixable += group
    elif len(group) == 1:
        later.append((group[0], f"Changing this field alone makes a Pod that no API server takes: {min(new)}"))
    else:
        middle = len(group) // 2
        _accept(source, group[:middle], tolerated, fixable, later)
        _accept(source, group[middle:], tolerated, fixable, later)


def _new_faults(source: PodSource, findings: Iterable[Finding], tolerated: set[str]) -> set[str]:
    """What an API server would refuse after these changes and did not refuse before."""
    depth = len(source.prefix.segments)
    changes = merged_changes(
        Change(Path(change.path.segments[depth:]), change.value) for finding in findings for change in finding.changes
    )
    return _faults(changed(source.raw, changes), source.kind) - tolerated


def _faults(raw: JsonObject, kind: str) -> set[str]:
    refused = by_registry(raw, kind).decision.violations
    # Behind a value that is shown whole stands what is wrong with it.
    return {f"{violation.path}: {violation.reason.rpartition('}: ')[2]}" for violation in refused}


def merged_changes(changes: Iterable[Change]) -> tuple[Change, ...]:
    """The changes with each field once: if two changes want different values, the first counts."""
    chosen: dict[Path, Change] = {}
    for change in changes:
        chosen.setdefault(change.path, change)
    return tuple(chosen.values())


def removing_emptied(raw: JsonObject, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes; an object or a list that they would leave empty is removed: `capabilities: {}` says nothing."""
    remaining = _Remaining(changes)
    waiting = list(dict.fromkeys(Path(change.path.segments[:-1]) for change in changes if change.value is None))
    for above in waiting:  # it grows: what is removed may leave what is around it empty
        if remaining.empties(raw, above):
            remaining.replace_inside(above)
            waiting.append(Path(above.segments[:-1]))
    return remaining.all()


class _Remaining:
    """Changes by number, and for every object or list that may go the numbers of the changes in it."""

    def __init__(self, changes: Sequence[Change]) -> None:
        self._changes: dict[int, Change] = {}
        self._inside: dict[tuple[str | int | Key, ...], set[int]] = {}
        self._next = 0
        for change in changes:
            self._add(change)

    def all(self) -> tuple[Change, ...]:
        return tuple(self._changes.values())

    def empties(self, raw: JsonObject, above: Path) -> bool:
        """Whether the changes would leave this object or list empty, and it may go."""
        steps = above.segments
        inside = [self._changes[number] for number in self._inside.get(steps, ())]
        found = _at(raw, above) if inside else None
        if not found or not isinstance(found, dict | list) or any(change.value is not None for change in inside):
            return False
        gone = {_name(change.path.segments[-1]) for change in inside if len(change.path.segments) == len(steps) + 1}
        return (set(found) if isinstance(found, dict) else set(range(len(found)))) <= gone

    def replace_inside(self, above: Path) -> None:
        """Remove the object or list as a whole instead of what is in it."""
        for number in tuple(self._inside[above.segments]):
            for steps in _that_may_go(self._changes.pop(number).path):
                self._inside[steps].discard(number)
        self._add(Change(above, None))

    def _add(self, change: Change) -> None:
        self._changes[self._next] = change
        for steps in _that_may_go(change.path):
            self._inside.setdefault(steps, set()).add(self._next)
        self._next += 1


def _that_may_go(place: Path) -> Iterator[tuple[str | int | Key, ...]]:
    """The steps to each object or list around the place, and to the place itself, that may go."""
    steps = place.segments
    return (steps[: at + 1] for at, step in enumerate(steps) if _name(step) in _MAY_GO)


def _at(raw: JsonObject, place: Path) -> Json:
    node: Json = raw
    for step in place.segments:
        name = _name(step)
        if isinstance(node, dict) and isinstance(name, str):
            node = node.get(name)
        elif isinstance(node, list) and isinstance(name, int) and name < len(node):
            node = node[name]
        else:
            return None
    return node


def _name(step: str | int | Key) -> str | int:
    return step.name if isinstance(step, Key) else step
