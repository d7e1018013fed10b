"""`podward run --verify`: the predicted and the observed state of a process, field by field, and as a table."""

from __future__ import annotations

from msgspec import Struct

from podward.api.capability import names
from podward.api.process import MountState, ProcessState
from podward.render.escaping import printable
from podward.render.palette import MIN_COLUMNS

_CAPABILITIES = ("cap_inheritable", "cap_permitted", "cap_effective", "cap_bounding", "cap_ambient")
_LABELS = {
    "uid": "Uid",
    "gid": "Gid",
    "groups": "Groups",
    "cap_inheritable": "CapInh",
    "cap_permitted": "CapPrm",
    "cap_effective": "CapEff",
    "cap_bounding": "CapBnd",
    "cap_ambient": "CapAmb",
    "no_new_privs": "NoNewPrivs",
    "seccomp": "Seccomp",
    "uid_map": "uid_map",
    "gid_map": "gid_map",
    "root_readonly": "read-only root",
    "mounts": "mounts",
    "masked": "masked paths",
    "readonly_paths": "read-only paths",
    "host_namespaces": "host namespaces",
    "oom_score_adj": "oom_score_adj",
    "label": "LSM label",
    "devices": "open devices",
}

_FIELD = 16
"""The width of the column with the names of fields."""


class VerifiedField(Struct, frozen=True):
    """One field: its name as in /proc, both values as text, and whether they are equal."""

    field: str
    predicted: str
    observed: str
    equal: bool


def rows(predicted: ProcessState, observed: ProcessState) -> tuple[VerifiedField, ...]:
    """Every field of the process state, in the order of /proc/PID/status."""
    return tuple(
        VerifiedField(
            _LABELS[name],
            _text(name, getattr(predicted, name)),
            _text(name, getattr(observed, name)),
            getattr(predicted, name) == getattr(observed, name),
        )
        for name in ProcessState.__struct_fields__
    )


def differences(predicted: ProcessState, observed: ProcessState) -> tuple[VerifiedField, ...]:
    """The rows whose values are not equal."""
    return tuple(row for row in rows(predicted, observed) if not row.equal)


def _text(name: str, value: object) -> str:
    if name in _CAPABILITIES and isinstance(value, int):
        return f"{value:016x} {_named(value)}".rstrip()
    if name in ("uid_map", "gid_map") and isinstance(value, tuple):
        return ", ".join(f"{inside} {outside} {length}" for inside, outside, length in value)
    if isinstance(value, tuple):
        return " ".join(printable(_mount(item) if isinstance(item, MountState) else str(item)) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else printable(str(value))


def _named(mask: int) -> str:
    listed = names(mask)
    return "all" if len(listed) > 38 else " ".join(name.removeprefix("CAP_").lower() for name in listed)


def _mount(state: MountState) -> str:
    flags = [flag for flag in ("readonly", "nosuid", "nodev", "noexec") if getattr(state, flag)]
    flags = ["ro" if flag == "readonly" else flag for flag in flags]
    flags += state.propagation.split() if state.propagation != "private" else ()
    return state.destination + (f"({','.join(flags)})" if flags else "")


# --- the table --------------------------------------------------------------------------------------------------------


def table(container: str, rows: tuple[VerifiedField, ...], width: int) -> str:
    """The predicted and the observed values of one container side by side, then the number of rows that differ.

    If values are too long for their columns, equal ones are written once, behind `=`, and different ones on lines of
    their own.
    """
    width = max(width, MIN_COLUMNS)
    column = (width - _FIELD - 4) // 2
    lines = [f"{container}", f"{'':{_FIELD}}  {'predicted':{column}} {'observed'}"]
    for row in rows:
        lines += _row(row, column, width)
    different = sum(not row.equal for row in rows)
    lines.append(f"{'':{_FIELD}}  {len(rows)} fields, {different} differ")
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _row(row: VerifiedField, column: int, width: int) -> list[str]:
    predicted, observed = row.predicted or "-", row.observed or "-"
    mark = "" if row.equal else " !"
    if len(predicted) <= column and len(observed) <= column:
        return [f"{row.field:{_FIELD}}  {predicted:{column}} {observed}{mark}"]
    if row.equal:
        return _indented(row.field, f"= {predicted}", width)
    return [*_indented(f"{row.field} !", predicted, width), *_indented("  observed", observed, width)]


def _indented(field: str, text: str, width: int) -> list[str]:
    """`text` wrapped at blanks into lines of `width`; the first line begins with the field's name."""
    room, lines, line = width - _FIELD - 2, [], ""
    for word in text.split(" "):
        if line and len(line) + 1 + len(word) > room:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}" if line else word
    lines.append(line)
    return [f"{field if i == 0 else '':{_FIELD}}  {text_line}" for i, text_line in enumerate(lines)]
