"""Predicted against observed: the kernel's view of a process, field by field, as rows for a table."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward.api.capability import names
from podward.api.process import MountState, ProcessState

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
}


class Row(Struct, frozen=True):
    """One field: its name as /proc spells it, both values as text, and whether they are equal."""

    field: str
    predicted: str
    observed: str
    equal: bool


def rows(predicted: ProcessState, observed: ProcessState) -> tuple[Row, ...]:
    """Every field of the process state, in the order of /proc/PID/status."""
    return tuple(
        Row(
            _LABELS[name],
            _text(name, getattr(predicted, name)),
            _text(name, getattr(observed, name)),
            getattr(predicted, name) == getattr(observed, name),
        )
        for name in ProcessState.__struct_fields__
    )


def differences(predicted: ProcessState, observed: ProcessState) -> tuple[Row, ...]:
    """The rows that are not equal."""
    return tuple(row for row in rows(predicted, observed) if not row.equal)


def _text(name: str, value: object) -> str:
    if name in _CAPABILITIES and isinstance(value, int):
        return f"{value:016x} {_named(value)}".rstrip()
    if name in ("uid_map", "gid_map") and isinstance(value, tuple):
        return ", ".join(f"{inside} {outside} {length}" for inside, outside, length in value)
    if isinstance(value, tuple):
        return " ".join(_mount(item) if isinstance(item, MountState) else str(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)


def _named(mask: int) -> str:
    listed = names(mask)
    return "all" if len(listed) > 38 else " ".join(name.removeprefix("CAP_").lower() for name in listed)


def _mount(state: MountState) -> str:
    flags = [flag for flag in ("readonly", "nosuid", "nodev", "noexec") if getattr(state, flag)]
    flags = ["ro" if flag == "readonly" else flag for flag in flags]
    return state.destination + (f"({','.join(flags)})" if flags else "")


def as_json(predicted: ProcessState, observed: ProcessState) -> bytes:
    """Both states and the names of the fields that differ."""
    different = [row.field for row in differences(predicted, observed)]
    return msgspec.json.encode({"predicted": predicted, "observed": observed, "differences": different})
