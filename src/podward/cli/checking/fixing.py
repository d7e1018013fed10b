"""`--fix`: the changes of findings made in their files, or shown as a difference.

What a check fails for is changed. Advice is not: what hints, or policies that only warn, would change may be what the
author meant, or keep the Pod from starting; it is followed where `--select` names the rule or its family.

A change may bring another finding to light, so a changed file is judged again, in memory, until nothing is left to do.
Only then is anything written: what `--diff` shows is what would be written.
"""

from __future__ import annotations

import os
import sys

from msgspec import Struct, structs

from podward.api.finding import Finding
from podward.api.report import CheckReport
from podward.check.mending import is_wanted, mending, merged, without_remains
from podward.check.policy_set import PolicySet
from podward.cli import inputs, terminal
from podward.cli.checking import working
from podward.cli.checking.files import STDIN
from podward.cli.checking.policies import policy_set_of, sound
from podward.cli.checking.reading import File, of_content, read_file
from podward.cli.checking.reporting import report_of
from podward.cli.checking.settings import Settings
from podward.documents.document import Document
from podward.documents.editing.edits import Edit, edited
from podward.documents.editing.unified_diff import unified
from podward.errors import InputError, PodwardError, UsageError
from podward.path import Path
from podward.render.escaping import printable, without_commands
from podward.schema.workload import PodSource

_ROUNDS = 9
"""More than any file has needed; and odd: two that turn round would not look like one that came to rest."""


class _Fixed(Struct, frozen=True):
    """A file as it was and as it is to be; `why` the findings cannot be fixed whose fingerprints these are."""

    before: bytes
    after: bytes
    why: dict[str, str]


def fix(
    found: CheckReport,
    names: tuple[str, ...],
    chosen: Settings,
    searched: frozenset[str] = frozenset(),
    *,
    only_show: bool,
) -> int:
    """Make, or show, the changes; then report what is left. Returns the exit code of what is left.

    `searched` are those files that nobody named.
    """
    if STDIN in names:
        raise UsageError("standard input cannot be changed", where="--fix", advice="name files or directories")
    made = _made(found, names, chosen)
    if only_show:
        return _show(found, made)
    unwritten = False
    for file, fixed in made.items():
        if fixed.after != fixed.before:
            unwritten = not _written(file, fixed.after) or unwritten
    from podward.cli.checking import output
    from podward.cli.checking.run import check

    left = check(names, chosen, searched)
    why = {mark: reason for fixed in made.values() for mark, reason in fixed.why.items()}
    told = structs.replace(left, findings=tuple(_told(finding, why) for finding in left.findings))
    sys.stdout.writelines(output.pieces(told, chosen.output, sys.stdout, chosen.choice.select))
    return UsageError.exit_code if unwritten else left.exit_code


def _made(found: CheckReport, names: tuple[str, ...], chosen: Settings) -> dict[str, _Fixed]:
    """Every file that has something to fix, in order, as it is to be."""
    files = dict.fromkeys(finding.file for finding in found.findings if is_wanted(finding, chosen.choice.select))
    if not files:
        return {}
    items, _ = sound(working.policies_in(read_file(name) for name in names))
    terms = policy_set_of(chosen.wishes, items)
    return {file: _fixed(file, chosen, terms) for file in sorted(files)}


def _fixed(name: str, chosen: Settings, terms: PolicySet) -> _Fixed:
    before = after = inputs.content_of(name)
    why: dict[str, str] = {}
    complaints: dict[str, InputError] = {}
    seen = {before}  # where two policies want what the other refuses, nobody is served by turning round
    for _ in range(_ROUNDS):
        file = of_content(after, name)
        why, complaints = {}, {}
        edits = _edits(file, _wanted(file, chosen, terms), why)
        content = _edited(after, name, edits, complaints)
        if content == after:
            break
        after = content
        if after in seen:
            break
        seen.add(after)
    for error in complaints.values():
        terminal.complain(error)
    return _Fixed(before, after, why)


def _wanted(file: File, chosen: Settings, terms: PolicySet) -> list[Finding]:
    came = working.outcome((file,), terms)
    found = report_of(came.findings, came.granted, (file.name,), came.checked, chosen)
    return [finding for finding in found.findings if is_wanted(finding, chosen.choice.select)]


def _edits(file: File, wanted: list[Finding], why: dict[str, str]) -> dict[int, list[Edit]]:
    """What to change in each document; `why` gets the findings whose changes no API server would take."""
    sources = {(each.document, each.source.prefix): each.source for each in file.workloads}
    by_source: dict[tuple[int, Path], list[Finding]] = {}
    for finding in wanted:
        at = next(key for end in range(len(finding.path.segments) + 1) if (key := _key(finding, end)) in sources)
        by_source.setdefault(at, []).append(finding)
    documents: dict[int, tuple[Document, list[Finding]]] = {}
    for at, findings in by_source.items():
        source: PodSource = sources[at]
        parted = mending(source, findings)
        why |= {finding.fingerprint: reason for finding, reason in parted.unsound}
        documents.setdefault(at[0], (source.document, []))[1].extend(parted.sound)
    edits: dict[int, list[Edit]] = {}
    for index, (document, findings) in documents.items():
        changes = merged(change for finding in findings for change in finding.changes)
        edits[index] = [Edit(index, change) for change in without_remains(document.raw, changes)]
    return edits


def _key(finding: Finding, end: int) -> tuple[int, Path]:
    return finding.document, Path(finding.path.segments[:end])


def _edited(content: bytes, name: str, edits: dict[int, list[Edit]], complaints: dict[str, InputError]) -> bytes:
    """The new content; a document that can't be edited is complained of and stays as it is."""
    try:
        return edited(content, name, [edit for each in edits.values() for edit in each])
    except InputError as error:
        if len(edits) == 1:
            complaints[str(error)] = error
            return content
    for index, each in edits.items():
        content = _edited(content, name, {index: each}, complaints)
    return content


def _told(finding: Finding, why: dict[str, str]) -> Finding:
    """The finding, without its changes where these can't be made."""
    reason = why.get(finding.fingerprint)
    if reason is None:
        return finding
    return structs.replace(finding, changes=(), remedy=_unfixable(reason))


def _unfixable(reason: str) -> str:
    return f"Changing this field alone makes a Pod that no API server takes: {reason}"


def _show(found: CheckReport, made: dict[str, _Fixed]) -> int:
    shown = "".join(unified(fixed.before, fixed.after, file) for file, fixed in made.items())
    if sys.stdout.isatty():
        sys.stdout.write(terminal.printable(shown))
    else:  # what `patch` takes: the bytes of the files, whatever the locale's encoding
        sys.stdout.flush()
        sys.stdout.buffer.write(shown.encode())
    for finding in found.findings:
        fixed = made.get(finding.file)
        if fixed is not None and finding.fingerprint in fixed.why:
            why = _unfixable(fixed.why[finding.fingerprint])
            print(
                without_commands(printable(f"podward: {finding.file}:{finding.line}: {finding.rule}: {why}")),
                file=sys.stderr,
            )
    return found.exit_code


def _written(file: str, content: bytes) -> bool:
    """Whether the file could be written; that it was, or why it was not, is told."""
    try:
        replace(file, content)
    except PodwardError as error:
        terminal.complain(error)
        return False
    print(without_commands(printable(f"podward: fixed {file}")), file=sys.stderr)
    return True


def replace(name: str, content: bytes) -> None:
    """Put `content` in the place of the file at once, with its owner and mode: nobody ever sees half of it.

    A link stays one: the file that it leads to is replaced. Where the owner or the group could not be kept, the file
    itself is written. Raises UsageError where neither can be done.
    """
    target = os.path.realpath(name)
    try:
        known = os.stat(target) if os.path.exists(target) else None
        if known is not None and not os.access(target, os.W_OK, effective_ids=True):
            raise UsageError("cannot write it: it is read-only", where=name, advice="make it writable, or leave it out")
        try:
            _replace(target, content, known)
        except PermissionError:
            with open(target, "r+b" if known is not None else "wb") as opened:
                opened.write(content)
                opened.truncate()
    except OSError as error:
        raise UsageError(f"cannot write it: {error.strerror}", where=name) from error


def _replace(target: str, content: bytes, known: os.stat_result | None) -> None:
    beside = f"{target}.podward-{os.getpid()}"
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "wb") as opened:
            opened.write(content)
            if known is not None:
                os.fchown(descriptor, known.st_uid, known.st_gid)
            os.fchmod(descriptor, known.st_mode & 0o7777 if known is not None else 0o644)
        os.rename(beside, target)
    except BaseException:
        os.unlink(beside)
        raise
