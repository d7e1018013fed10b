"""Waivers: somebody decided to accept findings of a rule, for a reason and until a day.

A waiver is written in the configuration (`[[check.waivers]]`), or as an annotation of the workload or its Pod template:

    check.podward.dev/waive: |
      pss/hostPorts until 2026-12-31: the load balancer needs them
      pss container proxy until 2026-12-31: to be replaced in the autumn

Each line is `RULE [container NAME] until YYYY-MM-DD: REASON`; RULE is a rule or a family. Further annotations may be
named `check.podward.dev/waive-ANYTHING`, which is easier to merge. A waiver is valid until the end of its day; today's
date is passed in. A waiver in an annotation covers only findings about the object that has the annotation: another item
of the same List is another object, whatever its name.

Whoever may write the manifests may write annotations. So a gate can forbid waivers in annotations, and it can bound the
term of every waiver. A waiver that does not count for such a reason is reported as well as what it would have covered.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from enum import Enum
from fnmatch import translate

from msgspec import Struct, structs

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.report import WaivedFinding, Waiver
from podward.check import rules
from podward.check.globs import Glob, glob
from podward.check.rule_selection import RuleSelection
from podward.path import Key, Path

DOMAIN = "check.podward.dev/"
ANNOTATION = f"{DOMAIN}waive"
EXPECTED = "RULE [container NAME] until YYYY-MM-DD: REASON"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LONGEST = 100


class WaiverScope(Struct, frozen=True):
    """The patterns of a waiver in the configuration; None matches everything."""

    path: Glob | None = None
    kind: re.Pattern[str] | None = None
    namespace: re.Pattern[str] | None = None
    name: re.Pattern[str] | None = None
    container: re.Pattern[str] | None = None

    def includes(self, finding: Finding, file: str) -> bool:
        """Whether all patterns match the finding; `file` is the name of its file for patterns."""
        about = finding.subject
        pairs = (
            (self.kind, about.kind),
            (self.namespace, about.namespace),
            (self.name, about.name),
            (self.container, about.container),
        )
        return (self.path is None or self.path.matches(file)) and all(
            pattern is None or pattern.match(text) for pattern, text in pairs
        )


class AnnotatedObject(Struct, frozen=True):
    """The object that has a waiver as an annotation; `container` limits the waiver to one container.

    `place` is the object's path in its document: empty, an item of a List, or a Pod template.
    """

    file: str
    document: int
    subject: WorkloadRef
    container: str = ""
    place: Path = Path()

    def includes(self, finding: Finding) -> bool:
        """Whether the finding is about this object and, if a container is named, about that container."""
        about = finding.subject
        return (
            (finding.file, finding.document) == (self.file, self.document)
            and (about.kind, about.name) == (self.subject.kind, self.subject.name)
            and finding.path.startswith(self.place)
            and self.container in ("", about.container)
        )


class ScopedWaiver(Struct, frozen=True):
    """A waiver and the findings that it covers: by patterns, or those of one object."""

    waiver: Waiver
    where: WaiverScope | AnnotatedObject

    def covers(self, finding: Finding, file: str) -> bool:
        """Whether the waiver is about this finding, expired or not; `file` is the finding's file for patterns."""
        if not rules.covers(self.waiver.rule, finding.rule):
            return False
        return (
            self.where.includes(finding)
            if isinstance(self.where, AnnotatedObject)
            else self.where.includes(finding, file)
        )


class WaiverTerms(Struct, frozen=True):
    """Which waivers count: those whose last day has not passed by `today` and is at most `most_days` away.

    `most_days` is None for any term. `inline` is whether waivers in annotations count.
    """

    today: date
    inline: bool = True
    most_days: int | None = None

    def fault_of(self, waiver: Waiver) -> _WaiverFault | None:
        """Why the waiver does not count; None if it does."""
        if not self.inline and waiver.in_manifest:
            return _WaiverFault.INLINE
        if self.most_days is not None and (waiver.expires - self.today).days > self.most_days:
            return _WaiverFault.TOO_LONG
        return _WaiverFault.EXPIRED if waiver.expires < self.today else None


class _WaiverFault(Enum):
    """Why a waiver does not count."""

    INLINE = "waiver/inline"
    TOO_LONG = "waiver/too-long"
    EXPIRED = "waiver/expired"


class AppliedWaivers(Struct, frozen=True):
    """The findings that count, including those about the waivers themselves, and the findings that are waived."""

    findings: tuple[Finding, ...]
    waived: tuple[WaivedFinding, ...]


def pattern(text: str) -> re.Pattern[str]:
    """A pattern of names with `*`, `?` and `[…]`, compiled."""
    return re.compile(translate(text))


def scope(path: str = "", kind: str = "", namespace: str = "", name: str = "", container: str = "") -> WaiverScope:
    """The scope of these patterns; an empty pattern matches everything."""
    parts = [pattern(text) if text else None for text in (kind, namespace, name, container)]
    return WaiverScope(glob(path) if path else None, *parts)


def day_of(text: str) -> date | None:
    """The date in this text (ISO 8601, only the form `2026-12-31`); None if it is none."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:  # such as 31 February
        return None


def fault_of(rule: str) -> tuple[str, str] | None:
    """Why this rule can't be waived, and advice; None if it can."""
    if not rules.is_known(rule):
        return f"there is no rule {_short(rule)!r}", rules.advice(rule[:_LONGEST])
    if not rules.may_be_waived(rule):
        return f"{rule} cannot be waived", "put right what it says, or exclude the file"
    return None


# --- annotations ----------------------------------------------------------------------------------------------------


def of_annotations(
    annotations: Mapping[str, object], place: Path, annotated: AnnotatedObject, line_of: Callable[[Path], int]
) -> tuple[tuple[ScopedWaiver, ...], tuple[Finding, ...]]:
    """The waivers in the annotations of an object or its template, and findings about those that are malformed.

    `place` is the path of the annotations (`metadata.annotations`). `line_of` returns the line of a field in the file;
    it is called only for annotations that begin with `DOMAIN`.
    """
    waivers: list[ScopedWaiver] = []
    faults: list[Finding] = []
    for key, value in annotations.items():
        if not key.startswith(DOMAIN):
            continue
        at = place / Key(key)
        line = line_of(at)
        for word in _lines(key, value):
            parsed = _waiver(word, annotated, line)
            if isinstance(parsed, ScopedWaiver):
                waivers.append(parsed)
            else:
                faults.append(_malformed(annotated, at, line, *parsed))
    return tuple(waivers), tuple(faults)


def _lines(key: str, value: object) -> list[str | tuple[str, str]]:
    """The annotation's lines; if all of it is wrong, what is wrong and what to do instead of a line."""
    if key != ANNOTATION and not key.startswith(f"{ANNOTATION}-"):
        return [(f"there is no annotation {_short(key)}", f"write {ANNOTATION}")]
    if not isinstance(value, str) or not value.strip():
        return [("a waiver is empty", f"write {EXPECTED}, or remove the annotation")]
    return [line.strip() for line in value.splitlines() if line.strip()]


def _waiver(line: str | tuple[str, str], annotated: AnnotatedObject, number: int) -> ScopedWaiver | tuple[str, str]:
    """The waiver in this line, or what is wrong and what to do."""
    if isinstance(line, tuple):
        return line
    head, colon, reason = line.partition(":")
    words, reason = head.split(), reason.strip()
    container = ""
    if len(words) == 5 and words[1] == "container":
        container = words[2]
        del words[1:3]
    if len(words) != 3 or words[1] != "until" or not colon:
        return f"a waiver is not of the form {EXPECTED}: {_short(line)!r}", f"write {EXPECTED}"
    day = day_of(words[2])
    if day is None:
        return f"a waiver's last day is no date: {_short(words[2])!r}", "write it as YYYY-MM-DD"
    if not reason:
        return f"a waiver of {_short(words[0])} has no reason", "say why, behind the colon"
    fault = fault_of(words[0])
    if fault is not None:
        return fault
    waiver = Waiver(words[0], reason, day, annotated.file, number, in_manifest=True)
    return ScopedWaiver(waiver, structs.replace(annotated, container=container))


def _malformed(annotated: AnnotatedObject, at: Path, line: int, what: str, advice: str) -> Finding:
    return Finding(
        "waiver/malformed",
        Severity.ERROR,
        annotated.file,
        line,
        annotated.document,
        at,
        annotated.subject,
        what,
        remedy=advice,
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


# --- applying -------------------------------------------------------------------------------------------------------


def apply(
    findings: Iterable[Finding],
    waivers: Sequence[ScopedWaiver],
    terms: WaiverTerms,
    selection: RuleSelection,
    files: Mapping[str, str],
) -> AppliedWaivers:
    """Split the findings into those that count and those that are waived.

    A waiver that has expired, or that `terms` forbid, waives nothing; the findings that it covers count, and so does a
    new one about the waiver. A waiver that covers nothing is reported as `waiver/unused`, unless its rule is not
    selected, or it is about files that were not checked. `files` has the checked files, each with its name for
    patterns.
    """
    if not waivers:
        return AppliedWaivers(selection.of(findings), ())
    kept: list[Finding] = []
    waived: list[WaivedFinding] = []
    used: set[int] = set()
    index = _Index(waivers, files)
    faults = [terms.fault_of(each.waiver) for each in waivers]
    for finding in findings:
        covering = index.covering(finding)
        used.update(covering)
        valid = [waivers[at].waiver for at in covering if faults[at] is None]
        if valid:
            waived.append(WaivedFinding(finding, valid[0]))
        else:
            kept.append(finding)
    for at, each in enumerate(waivers):
        fault = faults[at]
        if fault is not None and at in used:
            kept.append(_not_counted(each, fault, terms))
        elif at not in used and _might_be_used(each, selection, files.values()):
            kept.append(_unused(each))
    return AppliedWaivers(selection.of(kept), tuple(waived))


class _Index:
    """Finds the waivers that cover a finding. There may be thousands, each about one object."""

    def __init__(self, waivers: Sequence[ScopedWaiver], files: Mapping[str, str]) -> None:
        self._waiver = waivers
        self._files = files
        self._everywhere: list[int] = []
        self._by_document: dict[tuple[str, int], list[int]] = {}
        for at, each in enumerate(waivers):
            where = each.where
            if isinstance(where, AnnotatedObject):
                self._by_document.setdefault((where.file, where.document), []).append(at)
            else:
                self._everywhere.append(at)

    def covering(self, finding: Finding) -> list[int]:
        """The indexes of all waivers that cover the finding, including expired ones; first those on the object."""
        if not rules.may_be_waived(finding.rule):
            return []
        own = self._by_document.get((finding.file, finding.document), [])
        file = self._files.get(finding.file, finding.file)
        return [at for at in (*own, *self._everywhere) if self._waiver[at].covers(finding, file)]


def _might_be_used(each: ScopedWaiver, selection: RuleSelection, files: Collection[str]) -> bool:
    if not all(selection.counts(name) for name in rules.DESCRIPTIONS if rules.covers(each.waiver.rule, name)):
        return False
    if isinstance(each.where, AnnotatedObject) or each.where.path is None:
        return True
    return any(each.where.path.matches(file) for file in files)


def _not_counted(each: ScopedWaiver, fault: _WaiverFault, terms: WaiverTerms) -> Finding:
    waiver = each.waiver
    said = {
        _WaiverFault.EXPIRED: (
            f"the waiver of {waiver.rule} expired on {waiver.expires}: {waiver.reason}",
            "cure what it covered and remove it, or decide anew and move its date",
        ),
        _WaiverFault.INLINE: (
            f"a waiver of {waiver.rule} in an annotation does not count in this check: {waiver.reason}",
            "cure what it covers, or let those who own the configuration waive it",
        ),
        _WaiverFault.TOO_LONG: (
            f"the waiver of {waiver.rule} until {waiver.expires} is for too long to count: {waiver.reason}",
            f"let it end within {terms.most_days} days, by {_latest(terms)}",
        ),
    }
    return _about(each, fault.value, *said[fault])


def _latest(terms: WaiverTerms) -> date:
    """The last day that a waiver may name."""
    room = (date.max - terms.today).days
    return terms.today + timedelta(days=min(terms.most_days or 0, room))


def _unused(each: ScopedWaiver) -> Finding:
    message = f"the waiver of {each.waiver.rule} covers nothing: {each.waiver.reason}"
    return _about(each, "waiver/unused", message, "remove it")


def _about(each: ScopedWaiver, rule: str, message: str, remedy: str) -> Finding:
    annotated = each.where if isinstance(each.where, AnnotatedObject) else None
    subject = (
        structs.replace(annotated.subject, container=annotated.container) if annotated is not None else WorkloadRef()
    )
    document = annotated.document if annotated is not None else 0
    file, line = each.waiver.file, each.waiver.line
    return Finding(rule, Severity.WARNING, file, line, document, Path(), subject, message, remedy=remedy)
