"""Which changes of findings `--fix` makes: none that would make the Pod one that no API server accepts.

Policies do not know each other's fields, and their remedies do not either. For example, a CSI driver's container that
is no longer privileged may not have `mountPropagation: Bidirectional`, and no program can know whether it works
without. So a change is not made if validation then refuses something that it did not refuse before.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from podward.api.explanation import Change
from podward.api.finding import Finding, Severity
from podward.api.json_value import Json, JsonObject
from podward.api.report import family_of
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
    """Findings whose changes can be made together, and the others, each with what an API server would refuse then."""

    fixable: tuple[Finding, ...]
    unfixable: tuple[tuple[Finding, str], ...]


def split_fixable(source: PodSource, findings: Sequence[Finding]) -> FixableFindings:
    """Split the findings about this workload, all of which have changes, into fixable and unfixable ones."""
    tolerated = _faults(source.raw, source.kind)
    if not _new_faults(source, findings, tolerated):
        return FixableFindings(tuple(findings), ())
    fixable: list[Finding] = []
    left = list(findings)
    reasons: list[str] = []
    while left:
        later: list[Finding] = []
        reasons = []
        for finding in left:
            new = _new_faults(source, [*fixable, finding], tolerated)
            if new:
                later.append(finding)
                reasons.append(min(new))
            else:
                fixable.append(finding)
        if len(later) == len(left):  # no change makes another one possible any more
            break
        left = later
    kept = tuple(finding for finding in findings if finding in fixable)
    return FixableFindings(kept, tuple(zip(left, reasons, strict=True)))


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
    remaining = list(changes)
    while True:
        emptied = _emptied(raw, remaining)
        if emptied is None:
            return tuple(remaining)
        remaining = [change for change in remaining if not change.path.startswith(emptied)]
        remaining.append(Change(emptied, None))


def _emptied(raw: JsonObject, changes: Sequence[Change]) -> Path | None:
    """The path of an object or list that the changes would leave empty; None if there is none."""
    for change in changes:
        above = Path(change.path.segments[:-1])
        if change.value is not None or not above.segments or _name(above.segments[-1]) not in _MAY_GO:
            continue
        found = _at(raw, above)
        if not found or not isinstance(found, dict | list):
            continue
        inside = [each for each in changes if each.path.startswith(above)]
        gone = {_name(each.path.segments[-1]) for each in inside if len(each.path.segments) == len(above.segments) + 1}
        names = set(found) if isinstance(found, dict) else set(range(len(found)))
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
