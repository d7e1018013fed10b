"""`--fix`: the changes of all findings made in their files, or shown as a difference."""

from __future__ import annotations

import os
import sys

from podward.api.editing.difference import unified
from podward.api.editing.edits import Edit, edited
from podward.api.finding import Finding
from podward.api.report import Report, family_of
from podward.cli import inputs, terminal
from podward.cli.checking.files import STDIN
from podward.cli.checking.settings import Settings
from podward.errors import InputError, PodwardError, UsageError

_ROUNDS = 4
"""A change may bring another finding to light: the files are checked again until nothing changes."""
_ADVICE = "hint"


def fix(found: Report, names: tuple[str, ...], chosen: Settings, *, only_show: bool) -> int:
    """Make, or show, the changes; then report what is left. Returns the exit code of what is left."""
    if STDIN in names:
        raise UsageError("standard input cannot be changed", where="--fix", advice="name files or directories")
    if only_show:
        return _show(found, chosen)
    changed: set[str] = set()
    for _ in range(_ROUNDS):
        made = _edit(found, chosen)
        for file, content in made.items():
            replace(file, content)
        changed |= made.keys()
        if not made:
            break
        found = _again(names, chosen)
    for file in sorted(changed):
        print(terminal.printable(f"podward: fixed {file}"), file=sys.stderr)
    from podward.cli.checking import output

    sys.stdout.write(output.text(found, chosen.output, sys.stdout))
    return found.exit_code


def _again(names: tuple[str, ...], chosen: Settings) -> Report:
    from podward.cli.checking.run import check

    return check(names, chosen)


def _show(found: Report, chosen: Settings) -> int:
    for file, content in sorted(_edit(found, chosen).items()):
        text = unified(inputs.content_of(file), content, file)
        sys.stdout.write(terminal.printable(text))
    return found.exit_code


def _edit(found: Report, chosen: Settings) -> dict[str, bytes]:
    """The new content of each file that changes; a file that can't be edited is named and left as it is.

    Hints are advice: what they would change is a matter of taste, and may be what a policy forbids. They are followed
    where `--select` names them.
    """
    selected = {family_of(word) for word in chosen.choice.select}
    by_file: dict[str, list[Finding]] = {}
    for finding in found.findings:
        if finding.changes and (family_of(finding.rule) != _ADVICE or _ADVICE in selected):
            by_file.setdefault(finding.file, []).append(finding)
    made: dict[str, bytes] = {}
    for file, findings in by_file.items():
        before = inputs.content_of(file)
        try:
            after = edited(before, file, _edits(findings))
        except InputError as error:
            terminal.complain(error)
            continue
        if after != before:
            made[file] = after
    return made


def _edits(findings: list[Finding]) -> tuple[Edit, ...]:
    """Each change once; where two want different values of one field, the first finding's counts in this round."""
    chosen: dict[tuple[int, object], Edit] = {}
    for finding in findings:
        for change in finding.changes:
            chosen.setdefault((finding.document, change.path), Edit(finding.document, change))
    return tuple(chosen.values())


def replace(name: str, content: bytes) -> None:
    """Put `content` in the place of the file at once, with its mode: nobody ever sees half of it."""
    target = os.path.realpath(name)
    beside = f"{target}.podward-{os.getpid()}"
    try:
        mode = os.stat(target).st_mode & 0o7777 if os.path.exists(target) else 0o644
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with open(descriptor, "wb") as opened:
                opened.write(content)
                os.fchmod(opened.fileno(), mode)
            os.rename(beside, target)
        except BaseException:
            os.unlink(beside)
            raise
    except OSError as error:
        raise PodwardError(f"cannot write it: {error.strerror}", where=name) from error
