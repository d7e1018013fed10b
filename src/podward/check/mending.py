"""Which of the findings' changes are made together: none that would make the Pod one that no API server takes.

Policies do not know of each other's fields, and nor do their remedies: a CSI driver's container that may not be
privileged any more may not have `mountPropagation: Bidirectional` either, and what it would do without is not for a
machine to say. A change after which validation refuses something that it did not refuse before is not made.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from podward.api.explanation import Change
from podward.api.finding import Finding, Severity
from podward.api.json_value import Json, JsonObject
from podward.api.report import family_of
from podward.documents.editing.meaning import changed
from podward.path import Key, Path
from podward.schema.workload import PodSource
from podward.stages.admission.order import by_registry

_MAY_GO = frozenset(("annotations", "capabilities", "seLinuxOptions", "securityContext", "sysctls", "windowsOptions"))
"""Objects and lists that mean nothing when they are empty."""


def is_wanted(finding: Finding, select: Collection[str]) -> bool:
    """Whether `--fix` follows the finding: an error that has a change, or advice whose rule or family is selected."""
    if not finding.changes:
        return False
    return finding.severity is Severity.ERROR or finding.rule in select or family_of(finding.rule) in select


class Mending(Struct, frozen=True):
    """Findings whose changes can be made together, and the others, each with what the API server would say then."""

    sound: tuple[Finding, ...]
    unsound: tuple[tuple[Finding, str], ...]


def mending(source: PodSource, findings: Sequence[Finding]) -> Mending:
    """Part the findings about this workload, all of which have changes."""
    tolerated = _faults(source.raw, source.kind)
    if not _new_faults(source, findings, tolerated):
        return Mending(tuple(findings), ())
    sound: list[Finding] = []
    left = list(findings)
    reasons: list[str] = []
    while left:
        later: list[Finding] = []
        reasons = []
        for finding in left:
            new = _new_faults(source, [*sound, finding], tolerated)
            if new:
                later.append(finding)
                reasons.append(min(new))
            else:
                sound.append(finding)
        if len(later) == len(left):  # what one change makes possible for another has been seen
            break
        left = later
    kept = tuple(finding for finding in findings if finding in sound)
    return Mending(kept, tuple(zip(left, reasons, strict=True)))


def _new_faults(source: PodSource, findings: Iterable[Finding], tolerated: set[str]) -> set[str]:
    """What the API server would have against the Pod after these changes, and had not before."""
    depth = len(source.prefix.segments)
    changes = merged(
        Change(Path(change.path.segments[depth:]), change.value) for finding in findings for change in finding.changes
    )
    return _faults(changed(source.raw, changes), source.kind) - tolerated


def _faults(raw: JsonObject, kind: str) -> set[str]:
    refused = by_registry(raw, kind).decision.violations
    # Behind a value that is shown whole stands what is wrong with it.
    return {f"{violation.path}: {violation.reason.rpartition('}: ')[2]}" for violation in refused}


def merged(changes: Iterable[Change]) -> tuple[Change, ...]:
    """Each field once: where two want different values of it, the first counts."""
    chosen: dict[Path, Change] = {}
    for change in changes:
        chosen.setdefault(change.path, change)
    return tuple(chosen.values())


def without_remains(raw: JsonObject, changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes, taking away whole what they would leave empty: `capabilities: {}` says nothing."""
    made = list(changes)
    while True:
        emptied = _emptied(raw, made)
        if emptied is None:
            return tuple(made)
        made = [change for change in made if not change.path.startswith(emptied)]
        made.append(Change(emptied, None))


def _emptied(raw: JsonObject, changes: Sequence[Change]) -> Path | None:
    """A place from which everything would be removed, and nothing put there."""
    for change in changes:
        above = Path(change.path.segments[:-1])
        if change.value is not None or not above.segments or _name(above.segments[-1]) not in _MAY_GO:
            continue
        held = _at(raw, above)
        if not held or not isinstance(held, dict | list):
            continue
        inside = [each for each in changes if each.path.startswith(above)]
        gone = {_name(each.path.segments[-1]) for each in inside if len(each.path.segments) == len(above.segments) + 1}
        names = set(held) if isinstance(held, dict) else set(range(len(held)))
        if names <= gone and all(each.value is None for each in inside):
            return above
    return None


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
