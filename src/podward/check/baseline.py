"""Baselines: the findings that are known already, so that only new ones fail.

A baseline is a JSON file. For each checked file it has the fingerprints of the file's findings and how often each was
found. A fingerprint has no line, so moving a workload within its file changes nothing. If a fingerprint is found more
often than the baseline counts, the surplus findings are new. Files and fingerprints are sorted, so a review shows what
came and what went. Findings about unreadable files and about waivers are never in a baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import msgspec
from msgspec import Struct

from podward.api.finding import Finding
from podward.api.report import in_order
from podward.check import rules
from podward.errors import InputError

VERSION = 1
_ADVICE = "write it anew with `podward check --write-baseline FILE`"


class Baseline(Struct, frozen=True, forbid_unknown_fields=True):
    """The known findings: for each file, how often each fingerprint was found in it."""

    version: int
    files: dict[str, dict[str, int]]


class BaselineResult(Struct, frozen=True):
    """New findings, known findings, and the number of known ones that are no longer found."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    vanished: int


def write(findings: Iterable[Finding], rooted: Callable[[str], str] = str) -> str:
    """The text of a baseline with these findings; `rooted` gives the name that a file has in it."""
    files: dict[str, dict[str, int]] = {}
    for finding in findings:
        if may_be_known(finding):
            file, mark = _sound(rooted(finding.file)), _sound(finding.fingerprint_in_file)
            counts = files.setdefault(file, {})
            counts[mark] = counts.get(mark, 0) + 1
    encoded = msgspec.json.encode(Baseline(VERSION, files), order="deterministic")
    return msgspec.json.format(encoded, indent=1).decode() + "\n"


def read(text: bytes, name: str) -> Baseline:
    """The baseline in the content of the file `name`. Raises InputError if it is none."""
    try:
        found = msgspec.json.decode(text, type=Baseline)
    except msgspec.ValidationError as error:
        raise InputError(f"not a baseline: {error}", where=name, advice=_ADVICE) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(f"not a baseline, not even JSON: {error}", where=name, advice=_ADVICE) from None
    if found.version != VERSION:
        raise InputError(f"a baseline of version {found.version}, {VERSION} is known", where=name, advice=_ADVICE)
    if any(count < 1 for counts in found.files.values() for count in counts.values()):
        raise InputError("not a baseline: a count is less than 1", where=name, advice=_ADVICE)
    return found


def compare(
    findings: Iterable[Finding],
    baseline: Baseline,
    files: Collection[str] | None = None,
    rooted: Callable[[str], str] = str,
) -> BaselineResult:
    """Split the findings into new and known ones.

    `files` are the files that were checked, None for all: known findings of other files are not counted as vanished.
    `rooted` gives the name that a file has in the baseline.
    """
    left = {file: dict(counts) for file, counts in baseline.files.items()}
    new: list[Finding] = []
    known: list[Finding] = []
    for finding in in_order(findings):
        mark = _sound(finding.fingerprint_in_file)
        counts = left.get(_sound(rooted(finding.file)), {})
        if may_be_known(finding) and counts.get(mark, 0) > 0:
            counts[mark] -= 1
            known.append(finding)
        else:
            new.append(finding)
    looked_at = None if files is None else {_sound(rooted(file)) for file in files}
    gone = (sum(counts.values()) for file, counts in left.items() if looked_at is None or file in looked_at)
    return BaselineResult(tuple(new), tuple(known), sum(gone))


def may_be_known(finding: Finding) -> bool:
    """Whether a baseline may have this finding: not if it is about an unreadable file or about a waiver."""
    return rules.may_be_waived(finding.rule)


def _sound(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
