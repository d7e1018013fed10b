"""The mounts of a message that a runtime refuses.

Specification, in our words:
- recursiveReadOnly needs readOnly, private propagation, and an OCI runtime that can do it (containerd 2.2 `withMounts`;
  the same in CRI-O 1.33 and cri-dockerd 0.3).
- What cannot spread mounts must not be asked to (containerd 2.2 `ensureShared`, `ensureSharedOrSlave`; CRI-O 1.33): a
  mount that takes mounts from the host (rslave) must come from a shared or slave mount, one both ways (rshared) from a
  shared one. Docker leaves this to the kernel, which then spreads nothing.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.cri import Mount
from podward.api.gotext import quote
from podward.decision import Decision, refuse
from podward.path import path
from podward.policy.runtime.runtime_profile import RuntimeProfile

PLACE = path("mounts")
_SPREADS = {"PROPAGATION_BIDIRECTIONAL": ("shared",), "PROPAGATION_HOST_TO_CONTAINER": ("shared", "slave")}
"""What the mount that holds the source must be."""


class MountSource(Struct, frozen=True, gc=False):
    """Where the source of one of the message's mounts is: `path` is made for it, or "" for its host path.

    `holder` is the mount that it is on, `propagation` that mount's: shared, slave or private.
    """

    path: str = ""
    holder: str = "/"
    propagation: str = "shared"


_SPREADING = MountSource()


def decide(mounts: tuple[Mount, ...], sources: tuple[MountSource, ...], runtime: RuntimeProfile) -> Decision:
    """A violation for each of the message's mounts that the runtime refuses; without sources, all can spread."""
    refused = Decision()
    for index, mount in enumerate(mounts):
        source = sources[index] if sources else _SPREADING
        sentence = _recursive_read_only(mount, runtime) or _spreading(mount, source, runtime)
        if sentence:
            where = runtime.source_of("mounts", index)
            refused += refuse(PLACE / index, mount.container_path, sentence, where)
    return refused


def _recursive_read_only(mount: Mount, runtime: RuntimeProfile) -> str:
    if not mount.recursive_read_only:
        return ""
    where = f"(hostPath={quote(mount.host_path)})"
    if not mount.readonly:
        return f"recursive read-only mount conflicts with RW mount {where}"
    if not runtime.recursive_read_only:
        return f"runtime handler does not support recursive read-only mounts {where}"
    if mount.propagation != "PROPAGATION_PRIVATE":
        return f"recursive read-only mount needs private propagation, got {quote(mount.propagation)} {where}"
    return ""


def _spreading(mount: Mount, source: MountSource, runtime: RuntimeProfile) -> str:
    enough = _SPREADS.get(mount.propagation, ())
    if not enough or source.propagation in enough or runtime.name == "docker":
        return ""
    where = f"path {quote(mount.host_path)} is mounted on {quote(source.holder)}"
    return f"{where} but it is not a {' or '.join(enough)} mount"
