"""Waivers: a finding that somebody decided to live with, for a reason and until a day.

A waiver stands in the configuration (`[[check.waivers]]`) or on the workload, or its Pod template, as an annotation:

    check.podward.dev/waive: |
      pss/hostPorts until 2026-12-31: the load balancer needs them
      pss container proxy until 2026-12-31: to be replaced in the autumn

Each line is `RULE [container NAME] until YYYY-MM-DD: REASON`, RULE a rule or a family; further annotations may be
named `check.podward.dev/waive-ANYTHING`, which is easier to merge. A waiver holds until the end of its day; today's
date is a fact that is passed in. An annotation is about the object that it stands on and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import date
from fnmatch import translate

from msgspec import Struct, structs

from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.report import Waived, Waiver, family_of
from podward.check import rules
from podward.check.globs import Glob, glob
from podward.check.rule_selection import Choice
from podward.path import Key, Path

DOMAIN = "check.podward.dev/"
ANNOTATION = f"{DOMAIN}waive"
EXPECTED = "RULE [container NAME] until YYYY-MM-DD: REASON"
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_LONGEST = 100


class Scope(Struct, frozen=True):
    """Where a waiver of the configuration holds: patterns; None is everywhere."""

    path: Glob | None = None
    kind: re.Pattern[str] | None = None
    namespace: re.Pattern[str] | None = None
    name: re.Pattern[str] | None = None
    container: re.Pattern[str] | None = None

    def holds(self, finding: Finding, file: str) -> bool:
        """Whether the finding is in it; `file` is the name by which patterns know its file."""
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


class Holder(Struct, frozen=True):
    """The object that an annotation stands on: its file, its document, and what it is."""

    file: str
    document: int
    subject: WorkloadRef
    container: str = ""

    def holds(self, finding: Finding) -> bool:
        """Whether the finding is about this object and, where one is named, this container."""
        about = finding.subject
        return (
            (finding.file, finding.document) == (self.file, self.document)
            and (about.kind, about.namespace, about.name)
            == (self.subject.kind, self.subject.namespace, self.subject.name)
            and self.container in ("", about.container)
        )


class Granted(Struct, frozen=True):
    """A waiver and where it holds."""

    waiver: Waiver
    where: Scope | Holder

    def covers(self, finding: Finding, file: str) -> bool:
        """Whether it is about this finding, were it not expired; `file` as patterns know it."""
        if not rules.covers(self.waiver.rule, finding.rule):
            return False
        return self.where.holds(finding) if isinstance(self.where, Holder) else self.where.holds(finding, file)


class Applied(Struct, frozen=True):
    """What is left, with what is to be said about the waivers themselves, and what is waived."""

    findings: tuple[Finding, ...]
    waived: tuple[Waived, ...]


def pattern(text: str) -> re.Pattern[str]:
    """A pattern of names with `*`, `?` and `[…]`."""
    return re.compile(translate(text))


def scope(path: str = "", kind: str = "", namespace: str = "", name: str = "", container: str = "") -> Scope:
    """The scope of these patterns; an empty one is everywhere."""
    parts = [pattern(text) if text else None for text in (kind, namespace, name, container)]
    return Scope(glob(path) if path else None, *parts)


def day_of(text: str) -> date | None:
    """The day that is written so (ISO 8601, `2026-12-31` and no other form); None if it is none."""
    if not _DATE.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:  # such as 31 February
        return None


def fault_of(rule: str) -> tuple[str, str] | None:
    """Why this rule can't be waived, and advice; None where it can."""
    if not rules.is_known(rule):
        return f"there is no rule {_short(rule)!r}", rules.advice(rule[:_LONGEST])
    if rules.is_always(rule) or family_of(rule) == "waiver":
        return f"{rule} cannot be waived", "put right what it says, or exclude the file"
    return None


# --- annotations ----------------------------------------------------------------------------------------------------


def of_annotations(
    annotations: Mapping[str, object], place: Path, holder: Holder, line_of: Callable[[Path], int]
) -> tuple[tuple[Granted, ...], tuple[Finding, ...]]:
    """The waivers among the annotations of an object or its template, and findings about those that can't be read.

    `place` is where the annotations are (`metadata.annotations`) and `line_of` tells the line of a field in the file;
    it is asked only about annotations of ours.
    """
    granted: list[Granted] = []
    faults: list[Finding] = []
    for key, value in annotations.items():
        if not key.startswith(DOMAIN):
            continue
        at = place / Key(key)
        line = line_of(at)
        for word in _lines(key, value):
            made = _granted(word, holder, line)
            if isinstance(made, Granted):
                granted.append(made)
            else:
                faults.append(_malformed(holder, at, line, *made))
    return tuple(granted), tuple(faults)


def _lines(key: str, value: object) -> list[str | tuple[str, str]]:
    """The annotation's lines, or what is wrong with all of it."""
    if key != ANNOTATION and not key.startswith(f"{ANNOTATION}-"):
        return [(f"there is no annotation {_short(key)}", f"write {ANNOTATION}")]
    if not isinstance(value, str) or not value.strip():
        return [("a waiver is empty", f"write {EXPECTED}, or remove the annotation")]
    return [line.strip() for line in value.splitlines() if line.strip()]


def _granted(line: str | tuple[str, str], holder: Holder, number: int) -> Granted | tuple[str, str]:
    """The waiver that a line writes, or what is wrong and what to do."""
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
    waiver = Waiver(words[0], reason, day, holder.file, number, in_manifest=True)
    return Granted(waiver, structs.replace(holder, container=container))


def _malformed(holder: Holder, at: Path, line: int, what: str, advice: str) -> Finding:
    return Finding(
        "waiver/malformed", Severity.ERROR, holder.file, line, holder.document, at, holder.subject, what, remedy=advice
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


# --- applying -------------------------------------------------------------------------------------------------------


def apply(
    findings: Iterable[Finding],
    granted: Sequence[Granted],
    today: date,
    choice: Choice,
    files: Mapping[str, str],
) -> Applied:
    """Part the findings into those that count and those that are waived.

    An expired waiver waives nothing: `waiver/expired` says so beside what it covered. One that covers nothing is
    `waiver/unused`, unless its rule does not count at all, or it is about files that were not among `files`: those
    that were checked, each with the name by which patterns know it.
    """
    if not granted:
        return Applied(choice.of(findings), ())
    kept: list[Finding] = []
    waived: list[Waived] = []
    used: set[int] = set()
    index = _Index(granted, files)
    for finding in findings:
        covering = index.covering(finding)
        used.update(covering)
        valid = [granted[at].waiver for at in covering if granted[at].waiver.expires >= today]
        if valid:
            waived.append(Waived(finding, valid[0]))
        else:
            kept.append(finding)
    for at, each in enumerate(granted):
        if at in used and each.waiver.expires < today:
            kept.append(_expired(each))
        elif at not in used and _might_be_used(each, choice, files.values()):
            kept.append(_unused(each))
    return Applied(choice.of(kept), tuple(waived))


class _Index:
    """Finds the waivers about a finding: there may be thousands of annotations, each about one object."""

    def __init__(self, granted: Sequence[Granted], files: Mapping[str, str]) -> None:
        self._granted = granted
        self._files = files
        self._everywhere: list[int] = []
        self._held: dict[tuple[str, int], list[int]] = {}
        for at, each in enumerate(granted):
            where = each.where
            if isinstance(where, Holder):
                self._held.setdefault((where.file, where.document), []).append(at)
            else:
                self._everywhere.append(at)

    def covering(self, finding: Finding) -> list[int]:
        """The indexes of all waivers that cover it, expired ones too; the object's own first."""
        if rules.is_always(finding.rule) or family_of(finding.rule) == "waiver":
            return []
        own = self._held.get((finding.file, finding.document), [])
        file = self._files.get(finding.file, finding.file)
        return [at for at in (*own, *self._everywhere) if self._granted[at].covers(finding, file)]


def _might_be_used(each: Granted, choice: Choice, files: Collection[str]) -> bool:
    if not all(choice.counts(name) for name in rules.DESCRIPTIONS if rules.covers(each.waiver.rule, name)):
        return False
    if isinstance(each.where, Holder) or each.where.path is None:
        return True
    return any(each.where.path.matches(file) for file in files)


def _expired(each: Granted) -> Finding:
    waiver = each.waiver
    message = f"the waiver of {waiver.rule} expired on {waiver.expires}: {waiver.reason}"
    return _about(
        each, "waiver/expired", message, "cure what it covered and remove it, or decide anew and move its date"
    )


def _unused(each: Granted) -> Finding:
    message = f"the waiver of {each.waiver.rule} covers nothing: {each.waiver.reason}"
    return _about(each, "waiver/unused", message, "remove it")


def _about(each: Granted, rule: str, message: str, remedy: str) -> Finding:
    holder = each.where if isinstance(each.where, Holder) else None
    subject = structs.replace(holder.subject, container=holder.container) if holder is not None else WorkloadRef()
    document = holder.document if holder is not None else 0
    file, line = each.waiver.file, each.waiver.line
    return Finding(rule, Severity.WARNING, file, line, document, Path(), subject, message, remedy=remedy)
