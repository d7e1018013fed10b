"""Which user namespaces a runtime makes, of what the CRI asks for.

Specification, in our words (containerd 2.2 `parseUsernsIDs`, whose sentences these are; user_namespaces(7)): the mode
NODE goes without mappings, the mode POD needs those of uids and of gids, one line each; no other mode is known. A
line maps one id at least. Where root is not mapped nothing can be set up inside, and the kernel has no ids beyond 32
bits. Files of a Pod belong to one range of ids: uids and gids that are mapped differently are refused here.
"""

from __future__ import annotations

from podward.api.cri import IDMapping, UserNamespace
from podward.api.gotext import quote

LAST_ID = (1 << 32) - 2
"""The highest id: the one above is `no id` for the kernel."""


def fault_of(userns: UserNamespace | None) -> str:
    """Why no runtime makes this user namespace; empty if it does."""
    if userns is None:
        return ""
    fault = (
        _fault_of_lines("UID", userns.uids)
        or _fault_of_lines("GID", userns.gids)
        or _fault_of_mode(userns)
        or ("" if userns.uids == userns.gids else "UIDs and GIDs must be mapped in the same way")
    )
    return f"user namespace configuration: {fault}" if fault else ""


def _fault_of_lines(name: str, lines: tuple[IDMapping, ...]) -> str:
    fault = ""
    if len(lines) > 1:
        fault = f"only one mapping line supported, got {len(lines)} mapping lines"
    for line in lines:
        if line.length < 1:
            fault = fault or f"invalid mapping length: {line.length}"
        elif line.container_id != 0:
            fault = fault or "container id 0 is not mapped"
        elif line.host_id + line.length - 1 > LAST_ID:
            fault = fault or f"the host has no ids beyond {LAST_ID}"
    return f"{name} mapping: {fault}" if fault else ""


def _fault_of_mode(userns: UserNamespace) -> str:
    mode, uids, gids = userns.mode, len(userns.uids), len(userns.gids)
    if mode == "NODE" and (uids or gids):
        counted = f"Got {uids} UID mappings and {gids} GID mappings"
        return f"can't use user namespace mode {quote(mode)} with mappings. {counted}"
    if mode == "POD" and not (uids and gids):
        return f"can't use user namespace mode {quote(mode)} without UID and GID mappings"
    return "" if mode in ("NODE", "POD") else f"unsupported user namespace mode: {quote(mode)}"
