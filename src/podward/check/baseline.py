"""Baselines: the findings that were there when the check began, so that only new ones fail.

A baseline is a JSON file: for each file, the fingerprints of its findings, without the file, and how often each was
found. A fingerprint has no line, so moving a workload about in its file changes nothing. Of several findings with one
fingerprint as many are known as the baseline counts; one more is new. Files and fingerprints are sorted, so that a
review shows what came and what went. What could not be read, and what is wrong with waivers, is never in a baseline.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import msgspec
from msgspec import Struct

from podward.api.finding import Finding
from podward.api.report import family_of, in_order
from podward.check import rules
from podward.errors import InputError

VERSION = 1
_ADVICE = "write it anew with `podward check --write-baseline FILE`"


class Baseline(Struct, frozen=True, forbid_unknown_fields=True):
    """What is known: for each file, how often each fingerprint was found in it."""

    version: int
    files: dict[str, dict[str, int]]


class Compared(Struct, frozen=True):
    """New findings, known ones, and how many known ones are found no more."""

    new: tuple[Finding, ...]
    known: tuple[Finding, ...]
    vanished: int


def write(findings: Iterable[Finding], rooted: Callable[[str], str] = str) -> str:
    """The baseline of these findings; `rooted` gives the name by which it knows a file."""
    files: dict[str, dict[str, int]] = {}
    for finding in findings:
        if may_be_known(finding):
            file, mark = _sound(rooted(finding.file)), _sound(finding.mark)
            counts = files.setdefault(file, {})
            counts[mark] = counts.get(mark, 0) + 1
    encoded = msgspec.json.encode(Baseline(VERSION, files), order="deterministic")
    return msgspec.json.format(encoded, indent=1).decode() + "\n"


def read(text: bytes, name: str) -> Baseline:
    """The baseline that the file `name` holds; InputError for what is none."""
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
) -> Compared:
    """Part the findings into new and known ones.

    `files` are those that were checked: what is known of others has not vanished. None: everything was checked.
    `rooted` gives the name by which the baseline knows a file.
    """
    left = {file: dict(counts) for file, counts in baseline.files.items()}
    new: list[Finding] = []
    known: list[Finding] = []
    for finding in in_order(findings):
        mark = _sound(finding.mark)
        counts = left.get(_sound(rooted(finding.file)), {})
        if may_be_known(finding) and counts.get(mark, 0) > 0:
            counts[mark] -= 1
            known.append(finding)
        else:
            new.append(finding)
    looked_at = None if files is None else {_sound(rooted(file)) for file in files}
    gone = (sum(counts.values()) for file, counts in left.items() if looked_at is None or file in looked_at)
    return Compared(tuple(new), tuple(known), sum(gone))


def may_be_known(finding: Finding) -> bool:
    """Whether a baseline holds such findings: not what could not be read, nor what is said of waivers."""
    return not rules.is_always(finding.rule) and family_of(finding.rule) != "waiver"


def _sound(text: str) -> str:
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
