"""What `--fix` would write for each finding alone, for report forms that have a place for it (SARIF).

Each fix is an edit of the whole file, which is read again to prove that it is right: 3 to 5 ms for 4 KB. Reports about
whole repositories go to services that do not use fixes. So above `MAX_BYTES` no fixes are made, and the report says so:
somebody who fixes one finding after the other looks at a few files, or at what is new since a baseline.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from podward.api.finding import Finding
from podward.api.report import CheckReport
from podward.check.fixes import is_to_fix, merged_changes, removing_emptied, split_fixable
from podward.check.image_users import FindImage
from podward.cli import inputs
from podward.cli.checking.local_images import LocalImages
from podward.cli.checking.reading import ManifestFile, parse_file
from podward.documents.editing.edits import Edit, edited
from podward.errors import InputError
from podward.render.check import sarif_regions
from podward.render.check.sarif import SourceFiles
from podward.render.check.sarif_model import Replacement
from podward.schema.workload import PodSource

MAX_BYTES = 1024 * 1024
"""Bytes that are edited in all, each file once for each of its findings: about a second's work."""
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def source_files_of(report: CheckReport, select: Collection[str] = ()) -> SourceFiles:
    """The lines of the report's files, and the fix of each finding that `--fix` would fix with this `--select`."""
    wanted: dict[str, list[int]] = {}
    for index, finding in enumerate(report.findings):
        if finding.file != inputs.STDIN and is_to_fix(finding, select):
            wanted.setdefault(finding.file, []).append(index)
    if sum(_size(file) * len(indexes) for file, indexes in wanted.items()) > MAX_BYTES:
        number = sum(map(len, wanted.values()))
        return SourceFiles(
            _Lines().line,
            {},
            f"The fixes of {number} findings are left out. Check fewer files at once, or with a baseline, to have"
            " them; podward check --fix makes them all.",
        )
    fixes: dict[int, tuple[Replacement, ...]] = {}
    find = LocalImages().find
    for file, indexes in wanted.items():
        fixes |= _of_file(file, report.findings, indexes, find)
    return SourceFiles(_Lines().line, fixes)


def _size(file: str) -> int:
    try:
        return os.stat(file).st_size
    except (OSError, ValueError):
        return 0


def _of_file(
    name: str, findings: Sequence[Finding], indexes: Sequence[int], find: FindImage
) -> dict[int, tuple[Replacement, ...]]:
    try:
        content = inputs.content_of(name)
    except InputError:  # the file was removed after it was checked: the report has what was found
        return {}
    file, before = parse_file(content, name), _decoded(content)
    found: dict[int, tuple[Replacement, ...]] = {}
    for index in indexes:
        after = fixed(file, content, findings[index], find)
        if after is not None:
            found[index] = sarif_regions.replacements(before, _decoded(after))
    return found


def fixed(file: ManifestFile, content: bytes, finding: Finding, find: FindImage) -> bytes | None:
    """The file with this finding's changes made; None if they cannot be made, or would keep the Pod from running."""
    source = _source(file, finding)
    fixable = split_fixable(source, (finding,), find).fixable if source is not None else ()
    if source is None or not fixable:
        return None
    changes = removing_emptied(source.document.raw, merged_changes(fixable[0].changes))
    try:
        after = edited(content, file.name, [Edit(finding.document, change) for change in changes])
    except InputError:  # the document has to be edited by hand
        return None
    return after if after != content else None


def _source(file: ManifestFile, finding: Finding) -> PodSource | None:
    """The workload that the finding is about."""
    for each in file.workloads:
        if each.document == finding.document and finding.path.startswith(each.source.prefix):
            return each.source
    return None


def _decoded(content: bytes) -> str:
    """The text without a byte order mark."""
    if content[:2] in _UTF16_MARKS:
        return content.decode("utf-16", "replace")
    return content.decode("utf-8-sig", "replace")


class _Lines:
    """Gives lines of files. They are asked for file by file, so only the last file is kept."""

    def __init__(self) -> None:
        self._name = ""
        self._lines: Sequence[str] = ()

    def line(self, name: str, number: int) -> str:
        """A line without its line break; empty if the file has no such line."""
        if name != self._name:
            self._name, self._lines = name, _lines_of(name)
        return self._lines[number - 1] if 0 < number <= len(self._lines) else ""


def _lines_of(name: str) -> Sequence[str]:
    if name == inputs.STDIN:
        return ()
    try:
        return _decoded(inputs.content_of(name)).split("\n")
    except InputError:
        return ()
