"""procMount: `Default` or `Unmasked`, and `Unmasked` only in a user namespace (Kubernetes, ValidateProcMount)."""

from __future__ import annotations

from podward.decision import Decision
from podward.path import Path
from podward.schema.validation.field import invalid, unsupported


def check(proc_mount: str | None, at: Path, *, host_users: bool) -> Decision:
    """A container's `procMount`."""
    if proc_mount is None or proc_mount == "Default":
        return Decision()
    if proc_mount != "Unmasked":
        return unsupported(at, proc_mount, ("Default", "Unmasked"))
    return invalid(at, proc_mount, "`hostUsers` must be false to use `Unmasked`") if host_users else Decision()
