"""`--fix`: make the changes of findings in their files, or show them as a diff.

Changes are made for findings that fail the check. Hints, and policies that only warn, are advice: what they would
change may be what the author meant, or keep the Pod from starting. Advice is followed only if `--select` names its rule
or its family.

A change may bring up another finding, so a changed file is judged again, in memory, until nothing is left to change.
Only then is anything written: `--diff` shows exactly what would be written.
"""

from __future__ import annotations

import sys

from msgspec import Struct, structs

from podward.api.finding import Finding
from podward.api.report import CheckReport
from podward.check.fixes import is_to_fix, merged_changes, removing_emptied, split_fixable
from podward.check.image_users import FindImage
from podward.check.policy_set import PolicySet
from podward.cli import inputs, terminal
from podward.cli.checking import examination, files, linked, output
from podward.cli.checking.files import STDIN
from podward.cli.checking.local_images import LocalImages
from podward.cli.checking.policies import given_policies, held_to
from podward.cli.checking.reading import ManifestFile
from podward.cli.checking.reporting import check, report_of
from podward.cli.checking.settings import Settings
from podward.documents.document import Document
from podward.documents.editing.edits import Edit, edited
from podward.documents.editing.unified_diff import unified
from podward.errors import InputError, PodwardError, UsageError
from podward.path import Path
from podward.schema.workload import PodSource

_ROUNDS = 9
"""More rounds than any file has needed. The number is odd, so two changes that undo each other do not seem to end."""


class _FixedFile(Struct, frozen=True):
    """A file's content before and after.

    `unfixable` has the reason for each finding (by fingerprint) without a fix, `said` what is to be known of the fixes.
    """

    before: bytes
    after: bytes
    unfixable: dict[str, str]
    said: tuple[str, ...] = ()


def fix(
    report: CheckReport,
    names: tuple[str, ...],
    settings: Settings,
    searched: frozenset[str] = frozenset(),
    *,
    only_show: bool,
) -> int:
    """Make or show the changes, then report the findings that are left; returns the exit code of that report.

    Nobody named the files in `searched`; they were found in a directory.
    """
    if STDIN in names or any(map(inputs.is_url, names)):
        what = "standard input and URLs cannot be changed"
        raise UsageError(what, where="--fix", advice="name files or directories")
    fixed_files = _fixed_files(report, names, settings)
    if only_show:
        return _show(report, fixed_files)
    changed = {file: fixed.after for file, fixed in fixed_files.items() if fixed.after != fixed.before}
    unwritten = {file for file, content in changed.items() if not _written(file, content)}
    if not settings.shape.quiet:
        _tell({file: fixed for file, fixed in fixed_files.items() if file not in unwritten})
    left = check(names, settings, searched)
    unfixable = {mark: reason for fixed in fixed_files.values() for mark, reason in fixed.unfixable.items()}
    shown = structs.replace(left, findings=tuple(_without_bad_changes(finding, unfixable) for finding in left.findings))
    sys.stdout.writelines(output.pieces(shown, settings.shape, sys.stdout, settings.selection.select))
    return UsageError.exit_code if unwritten else left.exit_code


def _fixed_files(report: CheckReport, names: tuple[str, ...], settings: Settings) -> dict[str, _FixedFile]:
    """Every file that has something to fix, in order, with its content after all fixes."""
    wanted = dict.fromkeys(finding.file for finding in report.findings if is_to_fix(finding, settings.selection.select))
    if not wanted:
        return {}
    found = examination.policies_in(map(examination.FileReader(settings.options).read, names))
    given = given_policies(settings.options.policy_from)
    policies = held_to(settings.options, found, given).policy_set
    find = LocalImages().find
    changeable = linked.each_once(sorted(wanted), settings.trees)
    for name, target in changeable.left:
        terminal.say(f"{name} is not changed: it is a link to {target}, which is not in what is checked")
    return {file: _fixed(file, settings, policies, find) for file in changeable.files}


def _fixed(name: str, settings: Settings, policies: PolicySet, find: FindImage) -> _FixedFile:
    before = after = inputs.content_of(name)
    unfixable: dict[str, str] = {}
    said: dict[str, None] = {}
    complaints: dict[str, InputError] = {}
    seen = {before}  # if two policies want what the other one refuses, going round and round helps nobody
    reader = examination.FileReader(settings.options)
    for _ in range(_ROUNDS):
        file = reader.parse(after, name)
        complaints = {}
        edits = _edits(file, _wanted(file, settings, policies), find)
        unfixable = edits.unfixable
        said |= dict.fromkeys(edits.said)
        content = _edited(after, name, edits.by_document, complaints)
        if content == after:
            break
        after = content
        if after in seen:
            break
        seen.add(after)
    for error in complaints.values():
        terminal.complain(error)
    return _FixedFile(before, after, unfixable, tuple(said))


def _wanted(file: ManifestFile, settings: Settings, policies: PolicySet) -> list[Finding]:
    found = examination.judge_files((file,), policies)
    report = report_of(found.findings, found.waivers, (file.name,), found.workloads, settings)
    return [finding for finding in report.findings if is_to_fix(finding, settings.selection.select)]


class _Edits(Struct, frozen=True):
    """The edits of each document, the reason for each finding (by fingerprint) without one, and what is to be said."""

    by_document: dict[int, list[Edit]]
    unfixable: dict[str, str]
    said: list[str]


def _edits(file: ManifestFile, wanted: list[Finding], find: FindImage) -> _Edits:
    """The edits of each document. Findings whose changes cannot be made are put into `unfixable`."""
    sources = {(each.document, each.source.prefix): each.source for each in file.workloads}
    by_source: dict[tuple[int, Path], list[Finding]] = {}
    for finding in wanted:
        at = next(key for end in range(len(finding.path.segments) + 1) if (key := _key(finding, end)) in sources)
        by_source.setdefault(at, []).append(finding)
    made = _Edits({}, {}, [])
    documents: dict[int, tuple[Document, list[Finding]]] = {}
    for at, findings in by_source.items():
        source: PodSource = sources[at]
        split = split_fixable(source, findings, find)
        made.unfixable.update((finding.fingerprint, reason) for finding, reason in split.unfixable)
        made.said.extend(split.said)
        documents.setdefault(at[0], (source.document, []))[1].extend(split.fixable)
    for index, (document, findings) in documents.items():
        changes = merged_changes(change for finding in findings for change in finding.changes)
        made.by_document[index] = [Edit(index, change) for change in removing_emptied(document.raw, changes)]
    return made


def _key(finding: Finding, end: int) -> tuple[int, Path]:
    return finding.document, Path(finding.path.segments[:end])


def _edited(content: bytes, name: str, edits: dict[int, list[Edit]], complaints: dict[str, InputError]) -> bytes:
    """The new content. A document that cannot be edited stays as it is, and its error is put into `complaints`."""
    try:
        return edited(content, name, [edit for each in edits.values() for edit in each])
    except InputError as error:
        if len(edits) == 1:
            complaints[str(error)] = error
            return content
    for index, each in edits.items():
        content = _edited(content, name, {index: each}, complaints)
    return content


def _without_bad_changes(finding: Finding, unfixable: dict[str, str]) -> Finding:
    """The finding, without its changes if these cannot be made."""
    reason = unfixable.get(finding.fingerprint)
    if reason is None:
        return finding
    return structs.replace(finding, changes=(), remedy=reason)


def _show(report: CheckReport, fixed_files: dict[str, _FixedFile]) -> int:
    shown = "".join(unified(fixed.before, fixed.after, file) for file, fixed in fixed_files.items())
    if sys.stdout.isatty():
        sys.stdout.write(terminal.printable(shown))
    else:  # `patch` needs the bytes of the files, whatever the locale's encoding is
        sys.stdout.flush()
        sys.stdout.buffer.write(shown.encode())
    for finding in report.findings:
        fixed = fixed_files.get(finding.file)
        if fixed is not None and finding.fingerprint in fixed.unfixable:
            why = fixed.unfixable[finding.fingerprint]
            terminal.say(f"{finding.file}:{finding.line}: {finding.rule}: {why}")
        elif finding.rule.startswith("input/"):  # what could not be read was not looked at
            terminal.say(f"{finding.file}:{finding.line}: {finding.rule}: {finding.message}")
    return report.exit_code


def _written(file: str, content: bytes) -> bool:
    """Write the file, or say why it could not be written. Returns whether it was written."""
    try:
        files.replace(file, content)
    except PodwardError as error:
        terminal.complain(error)
        return False
    return True


def _tell(fixed_files: dict[str, _FixedFile]) -> None:
    """Say which files were fixed, and what is to be known of that."""
    for file, fixed in fixed_files.items():
        if fixed.after != fixed.before:
            terminal.say(f"fixed {file}")
        for said in fixed.said:
            terminal.say(f"{file}: {said}")
