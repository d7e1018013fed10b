"""What `--fix` would write for each finding alone, for reports that can hold it.

Each mend is an edit of the whole file, read again to prove that it means what it should: 3 to 5 ms for 4 KB.
Reports about whole repositories go to services that have no use for mends, so beyond `MOST` none are made, and the
report says so: whoever mends finding by finding looks at some files, or at what is new since a baseline.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Sequence

from podward.api.finding import Finding
from podward.api.report import CheckReport
from podward.check.mending import is_wanted, mending, merged, without_remains
from podward.cli import inputs
from podward.cli.checking.reading import File, of_content
from podward.documents.editing.edits import Edit, edited
from podward.errors import InputError
from podward.render.check import regions
from podward.render.check.sarif import Sources
from podward.render.check.sarif_model import Replacement
from podward.schema.workload import PodSource

MOST = 1024 * 1024
"""Bytes that are edited in all, a file once for each of its findings: about a second's work."""
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")


def sources_of(report: CheckReport, select: Collection[str] = ()) -> Sources:
    """The files' lines, and the mends of all findings that `--fix` would mend where `select` is selected by name."""
    wanted: dict[str, list[int]] = {}
    for index, finding in enumerate(report.findings):
        if finding.file != inputs.STDIN and is_wanted(finding, select):
            wanted.setdefault(finding.file, []).append(index)
    if sum(_size(file) * len(indexes) for file, indexes in wanted.items()) > MOST:
        number = sum(map(len, wanted.values()))
        return Sources(
            _Lines().line,
            {},
            f"The fixes of {number} findings are left out. Check fewer files at once, or with a baseline, to have"
            " them; podward check --fix makes them all.",
        )
    fixes: dict[int, tuple[Replacement, ...]] = {}
    for file, indexes in wanted.items():
        fixes |= _of_file(file, report.findings, indexes)
    return Sources(_Lines().line, fixes)


def _size(file: str) -> int:
    try:
        return os.stat(file).st_size
    except (OSError, ValueError):
        return 0


def _of_file(name: str, findings: Sequence[Finding], indexes: Sequence[int]) -> dict[int, tuple[Replacement, ...]]:
    try:
        content = inputs.content_of(name)
    except InputError:  # gone since: the report says what was
        return {}
    file, before = of_content(content, name), _decoded(content)
    found: dict[int, tuple[Replacement, ...]] = {}
    for index in indexes:
        after = mended(file, content, findings[index])
        if after is not None:
            found[index] = regions.replacements(before, _decoded(after))
    return found


def mended(file: File, content: bytes, finding: Finding) -> bytes | None:
    """The file with this finding's changes made; None where they cannot be, or no API server would take the result."""
    source = _source(file, finding)
    if source is None or not mending(source, (finding,)).sound:
        return None
    changes = without_remains(source.document.raw, merged(finding.changes))
    try:
        after = edited(content, file.name, [Edit(finding.document, change) for change in changes])
    except InputError:  # a document that has to be edited by hand
        return None
    return after if after != content else None


def _source(file: File, finding: Finding) -> PodSource | None:
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
    """The lines of files, which are asked for file by file: the last one read is kept."""

    def __init__(self) -> None:
        self._name = ""
        self._lines: Sequence[str] = ()

    def line(self, name: str, number: int) -> str:
        """A line without its line break; empty where there is none."""
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
