"""The user namespace: which ids of the container are which ids of the host.

Specification (user_namespaces(7), Linux 6.18 `kernel/user_namespace.c`; runtime-spec 1.0.2 `linux.uidMappings`), in
our words: a process without a user namespace of its own has the host's identity map, one line from 0 to 0 for
4294967295 ids. With one, its map is the spec's lines, read from the host in the order in which they were written,
or sorted by the inside id where there are more than five. An id outside every line can be neither held nor granted.
Both crun 1.8 and runc 1.1 refuse a user namespace without mappings.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.oci import LinuxIDMapping, RuntimeSpec
from podward.decision import Decision, assign, merge, refuse
from podward.path import path
from podward.policy.kernel.sources import Sources, rule

Lines = tuple[tuple[int, int, int], ...]
IDENTITY: Lines = ((0, 0, 4294967295),)
KEPT_AS_WRITTEN = 5
MANUAL = rule("user_namespaces(7)")


class UserNamespace(Struct, frozen=True, gc=False):
    """The maps: (inside, outside, length) lines, outside being the host's ids."""

    uid_map: Lines = IDENTITY
    gid_map: Lines = IDENTITY

    @property
    def own(self) -> bool:
        """Whether it is another than the host's."""
        return self.uid_map != IDENTITY or self.gid_map != IDENTITY

    def host_uid(self, inside: int) -> int | None:
        """The host's id of this user of the container; None where no line covers it."""
        return _outside(self.uid_map, inside)

    def host_gid(self, inside: int) -> int | None:
        """The host's id of this group of the container; None where no line covers it."""
        return _outside(self.gid_map, inside)

    def holds_uid(self, host: int) -> bool:
        """Whether this user of the host has an id inside."""
        return _covered(self.uid_map, host)

    def holds_gid(self, host: int) -> bool:
        """Whether this group of the host has an id inside."""
        return _covered(self.gid_map, host)


def decide(spec: RuntimeSpec, sources: Sources) -> Decision:
    """`uid_map` and `gid_map`; a violation where the namespace has no mappings."""
    if not any(namespace.type == "user" for namespace in spec.linux.namespaces):
        reason = "no user namespace of its own: the host's ids"
        return merge(*(assign(path(name), IDENTITY, reason, MANUAL) for name in ("uid_map", "gid_map")))
    return merge(
        _mapped("uid_map", "uidMappings", spec.linux.uid_mappings, sources),
        _mapped("gid_map", "gidMappings", spec.linux.gid_mappings, sources),
    )


def _mapped(name: str, field: str, mappings: tuple[LinuxIDMapping, ...], sources: Sources) -> Decision:
    place = path(name)
    lines = tuple((line.container_id, line.host_id, line.size) for line in mappings)
    if not lines:
        return assign(place, (), "nothing is mapped", MANUAL) + refuse(
            path("linux", field),
            (),
            "the container has a user namespace without mappings: the runtime refuses it",
            MANUAL,
        )
    if len(lines) > KEPT_AS_WRITTEN:
        lines = tuple(sorted(lines))
    return assign(place, lines, f"linux.{field}", sources.of("linux", field))


def _outside(lines: Lines, inside: int) -> int | None:
    for first, outside, length in lines:
        if first <= inside < first + length:
            return outside + inside - first
    return None


def _covered(lines: Lines, host: int) -> bool:
    return any(outside <= host < outside + length for _, outside, length in lines)
