"""A finding of `podward check`: what is wrong, where, and the smallest change that fixes it.

The renderers (table, JSON, SARIF, JUnit, GitHub, GitLab) read only these values.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from podward.api.explanation import Change
from podward.path import Path


class Severity(Enum):
    """The severity of a finding; only errors fail a check."""

    ERROR = "error"
    """The Pod will be refused, or the file can't be read."""
    WARNING = "warning"
    """The Pod is admitted, but it will behave unexpectedly, or a policy warns about it."""
    NOTE = "note"
    """An audit policy records it."""


class WorkloadRef(Struct, frozen=True, gc=False):
    """The workload that a finding is about; all fields are empty if a file could not be read."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    container: str = ""


class Finding(Struct, frozen=True, gc=False):
    """One finding.

    `rule` is `family/name` (`pss/hostNamespaces`, `scc/runAsUser`, `hint/capability-without-root`, `input/syntax`),
    and its page is `docs/rules/<rule>.md`. `file` and `line` (1-based) are the place of the field `path`; if the field
    is absent, of the innermost field around it. `message` says in one sentence what is wrong, `policy` which policy
    says so (`restricted:latest`, `scc restricted-v2`). `remedy` says in one sentence what to do. `changes` do it: they
    are the smallest edit of the document, with paths from the document's root (a value of None removes the field).
    They are empty if the remedy is not in the manifest. `document` is the index of the document in its file.
    """

    rule: str
    severity: Severity
    file: str
    line: int
    document: int
    path: Path
    subject: WorkloadRef
    message: str
    policy: str = ""
    remedy: str = ""
    changes: tuple[Change, ...] = ()

    @property
    def fingerprint(self) -> str:
        """A text that stays the same when lines move: the file, the workload, the rule and the field.

        The parts are joined by `|`. A `|` or a backslash within a part has a backslash before it.
        """
        return f"{_escaped(self.file)}|{self.fingerprint_in_file}"

    @property
    def fingerprint_in_file(self) -> str:
        """The fingerprint without the file."""
        about = self.subject
        parts = (about.kind, about.namespace, about.name, about.container, self.rule, str(self.path))
        joined = "|".join(parts)
        if joined.count("|") < len(parts) and "\\" not in joined:
            return joined  # nothing in any part to escape
        return "|".join(map(_escaped, parts))


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("|", "\\|")
