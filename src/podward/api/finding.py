"""What `podward check` found: one thing that is wrong, where, and the smallest change that cures it.

Renderers (table, JSON, SARIF, JUnit, GitHub) read these values and nothing else.
"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from podward.api.explanation import Change
from podward.path import Path


class Severity(Enum):
    """How much it matters: only errors fail a check."""

    ERROR = "error"
    """The Pod will be refused, or the file can't be read."""
    WARNING = "warning"
    """The Pod is admitted and will surprise: a hint, or a policy that only warns."""
    NOTE = "note"
    """Worth knowing: what an audit policy records."""


class WorkloadRef(Struct, frozen=True, gc=False):
    """The workload that a finding is about; all empty where a file could not be read."""

    kind: str = ""
    namespace: str = ""
    name: str = ""
    container: str = ""


class Finding(Struct, frozen=True, gc=False):
    """One finding.

    `rule` is `family/name` (`pss/hostNamespaces`, `scc/runAsUser`, `hint/capability-without-root`, `input/syntax`),
    which is also its page, `docs/rules/<rule>.md`. `file` and `line` (1-based) are where the field `path` is written
    or, if it is absent, the closest thing around it. `message` is one sentence, what is wrong; `policy` who says so
    (`restricted:latest`, `scc restricted-v2`). `remedy` is one sentence and `changes` do it: the smallest edit of
    the document, paths from the document's root, None removes; empty where the cure is not in the manifest.
    `document` is the index of the document in its file.
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
        """What stays the same when lines move: the file, the workload, the rule and the field.

        The parts are joined by `|`; a part's own has a backslash before it, and so has a backslash.
        """
        return f"{_escaped(self.file)}|{self.mark}"

    @property
    def mark(self) -> str:
        """The fingerprint without the file."""
        about = self.subject
        parts = (about.kind, about.namespace, about.name, about.container, self.rule, str(self.path))
        joined = "|".join(parts)
        if joined.count("|") < len(parts) and "\\" not in joined:
            return joined  # nothing in any part to escape
        return "|".join(map(_escaped, parts))


def _escaped(part: str) -> str:
    return part.replace("\\", "\\\\").replace("|", "\\|")
