"""What several forms of a report share: sentences, JSON that is safe to print, and unique fingerprints."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from podward.api.explanation import Change
from podward.api.finding import Finding, WorkloadRef
from podward.api.report import Summary, Waiver
from podward.decision import Value
from podward.render.escaping import printable, printable_json

LONGEST = 2000
"""The most characters of a sentence that are shown: a name may have megabytes, and is in every sentence about it."""


def short(text: str) -> str:
    """The beginning of `text`, with the number of characters that are left out."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST} more characters)"


def workload(subject: WorkloadRef) -> str:
    """A workload as text: `Deployment shop/web`; empty if the subject is empty."""
    name = f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name
    return f"{subject.kind} {name}".strip()


def about(subject: WorkloadRef) -> str:
    """The workload and, if the finding is about one, its container."""
    if not subject.container:
        return workload(subject)
    return f"{workload(subject)}, container {subject.container}".removeprefix(", ")


def sentence(finding: Finding) -> str:
    """The workload, what is wrong with it, and the policy, on one line of printable characters that is not too long."""
    who = about(finding.subject)
    said = f"{who}: {finding.message}" if who else finding.message
    return printable(short(f"{said} ({finding.policy})" if finding.policy else said))


def field(finding: Finding) -> str:
    """`at` with the field's path; empty if there is no field, or if a change has the same path."""
    named = any(change.path == finding.path for change in finding.changes)
    return "" if named or not finding.path.segments else f"at {finding.path}"


def change(one: Change) -> str:
    """A change as a line of YAML, with the field's path as the key."""
    return f"remove {one.path}" if one.value is None else f"{one.path}: {scalar(one.value)}"


def scalar(value: Value) -> str:
    """A value as JSON; a single word has no quotes."""
    if isinstance(value, str) and value.isascii() and value.replace("-", "").isalpha():
        return value
    return msgspec.json.encode(sound(value)).decode()


def waived_by(waiver: Waiver) -> str:
    """A waiver on one line of printable characters: its last day, its reason and its place."""
    return printable(f"waived until {waiver.expires}: {waiver.reason} ({waiver.file}:{waiver.line})")


def totals(summary: Summary) -> str:
    """All numbers in one sentence, without its full stop."""
    found = [
        counted(number, word)
        for number, word in ((summary.errors, "error"), (summary.warnings, "warning"), (summary.notes, "note"))
        if number
    ]
    where = f"in {counted(summary.files, 'file')} ({counted(summary.workloads, 'workload')})"
    aside = [f"{summary.waived} waived"] if summary.waived else []
    aside += [f"{summary.baselined} in the baseline"] if summary.baselined else []
    aside += [f"{summary.vanished} of the baseline found no more"] if summary.vanished else []
    return "; ".join((f"{', '.join(found) or 'no findings'} {where}", *aside))


def counted(number: int, word: str) -> str:
    """The number with the word in singular or plural: `1 workload`, `2 workloads`."""
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


class Fingerprints:
    """Fingerprints by which a service recognises findings from one run to the next; no two of a report are the same.

    They stay the same when lines move.
    """

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, finding: Finding) -> str:
        """A digest of the finding's fingerprint, and the number of times that this digest was returned."""
        import hashlib  # most forms need no digest

        digest = hashlib.sha256(finding.fingerprint.encode("utf-8", "backslashreplace")).hexdigest()
        self._seen[digest] = self._seen.get(digest, 0) + 1
        return f"{digest}:{self._seen[digest]}"


def json_text(value: Struct | Sequence[Struct]) -> str:
    """`value` as indented JSON in which every character that is not printable is escaped."""
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(sound(msgspec.to_builtins(value, builtin_types=())))
    return printable_json(msgspec.json.format(encoded, indent=1).decode() + "\n")


def sound(value: Value) -> Value:
    r"""`value` without lone surrogates in its strings: a file's name may have some (`\udc80`), but UTF-8 can't."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {str(sound(key)): sound(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [sound(item) for item in value]
    return value if not isinstance(value, Struct) else sound(msgspec.to_builtins(value))
