"""The words that several forms of a report share, and JSON that is safe to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import Struct

from podward.api.explanation import Change
from podward.api.finding import Finding, WorkloadRef
from podward.api.report import Summary, Waiver
from podward.decision import Value
from podward.render.escaping import printable

LONGEST = 2000
"""Characters of a sentence that are kept: names may be megabytes, and stand in every sentence about their workload."""


def short(text: str) -> str:
    """The beginning of `text`, and how much more there is."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text) - LONGEST} more characters)"


def workload(subject: WorkloadRef) -> str:
    """`Deployment shop/web`; empty where the subject is."""
    name = f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name
    return f"{subject.kind} {name}".strip()


def about(subject: WorkloadRef) -> str:
    """The workload and, where the finding is about one, its container."""
    if not subject.container:
        return workload(subject)
    return f"{workload(subject)}, container {subject.container}".removeprefix(", ")


def sentence(finding: Finding) -> str:
    """Who is wrong in what, and who says so, on one line of printable characters, not too long a one."""
    who = about(finding.subject)
    said = f"{who}: {finding.message}" if who else finding.message
    return printable(short(f"{said} ({finding.policy})" if finding.policy else said))


def field(finding: Finding) -> str:
    """`at` the field; empty where there is none, or where a change names it anyway."""
    named = any(change.path == finding.path for change in finding.changes)
    return "" if named or not finding.path.segments else f"at {finding.path}"


def change(one: Change) -> str:
    """A change as a line of YAML whose key is the field's path."""
    return f"remove {one.path}" if one.value is None else f"{one.path}: {scalar(one.value)}"


def scalar(value: Value) -> str:
    """A value in JSON, words without their quotes."""
    if isinstance(value, str) and value.isascii() and value.replace("-", "").isalpha():
        return value
    return msgspec.json.encode(sound(value)).decode()


def waived_by(waiver: Waiver) -> str:
    """Until when and why, and where that is written, on one line of printable characters."""
    return printable(f"waived until {waiver.expires}: {waiver.reason} ({waiver.file}:{waiver.line})")


def totals(summary: Summary) -> str:
    """All the sums in one sentence without its full stop."""
    found = [
        _counted(number, word)
        for number, word in ((summary.errors, "error"), (summary.warnings, "warning"), (summary.notes, "note"))
        if number
    ]
    where = f"in {_counted(summary.files, 'file')} ({_counted(summary.workloads, 'workload')})"
    aside = [f"{summary.waived} waived"] if summary.waived else []
    aside += [f"{summary.baselined} in the baseline"] if summary.baselined else []
    aside += [f"{summary.vanished} of the baseline found no more"] if summary.vanished else []
    return "; ".join((f"{', '.join(found) or 'no findings'} {where}", *aside))


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def json_text(value: Struct | Sequence[Struct]) -> str:
    """`value` as indented JSON in which every character that is not printable is escaped.

    The same JSON for a program; and a terminal that it is printed on finds no control sequence in it, a CI system's log
    no command: in the middle of a line that begins with a quote or a bracket, these have `##` (see `without_commands`).
    """
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        encoded = msgspec.json.encode(sound(msgspec.to_builtins(value, builtin_types=())))
    text = msgspec.json.format(encoded, indent=1).decode() + "\n"
    if "##" in text:
        text = text.replace("##", "#\\u0023")
    if text.isascii() and "\x7f" not in text:
        return text
    return "".join(c if c.isprintable() or c == "\n" else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def sound(value: Value) -> Value:
    r"""`value` with no lone surrogate in its strings: a file's name may have some (`\udc80`), UTF-8 can't."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {str(sound(key)): sound(item) for key, item in value.items()}
    if isinstance(value, Sequence):
        return [sound(item) for item in value]
    return value if not isinstance(value, Struct) else sound(msgspec.to_builtins(value))
