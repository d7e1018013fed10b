"""The user namespace: how ids of the container map to ids of the host.

Specification (user_namespaces(7), Linux 6.18 `kernel/user_namespace.c`; runtime-spec 1.0.2 `linux.uidMappings`), in
our words: a process without its own user namespace has the host's identity map, one line that maps 4294967295 ids from
0 to 0. A process with its own has the lines of the spec; the host reads them in the order in which they were written,
or sorted by the inside id if there are more than five. A process cannot have or get an id that no line covers.
Both crun 1.8 and runc 1.1 refuse a user namespace without mappings.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.oci import LinuxIDMapping, RuntimeSpec
from podward.decision import Decision, assign, merge, refuse
from podward.path import path
from podward.policy.kernel.sources import Sources, rule

IdMap = tuple[tuple[int, int, int], ...]
"""Lines of /proc/PID/uid_map or gid_map: (inside, outside, length)."""
IDENTITY: IdMap = ((0, 0, 4294967295),)
KEPT_AS_WRITTEN = 5
MANUAL = rule("user_namespaces(7)")


class UserNamespace(Struct, frozen=True, gc=False):
    """The id maps of a user namespace; "outside" ids are ids of the host."""

    uid_map: IdMap = IDENTITY
    gid_map: IdMap = IDENTITY

    @property
    def own(self) -> bool:
        """Whether it differs from the host's user namespace."""
        return self.uid_map != IDENTITY or self.gid_map != IDENTITY

    def host_uid(self, inside: int) -> int | None:
        """The host's id for this uid of the container; None if it is not mapped."""
        return _outside(self.uid_map, inside)

    def host_gid(self, inside: int) -> int | None:
        """The host's id for this gid of the container; None if it is not mapped."""
        return _outside(self.gid_map, inside)

    def maps_uid(self, host: int) -> bool:
        """Whether this uid of the host is mapped to an id inside."""
        return _covered(self.uid_map, host)

    def maps_gid(self, host: int) -> bool:
        """Whether this gid of the host is mapped to an id inside."""
        return _covered(self.gid_map, host)


def decide(spec: RuntimeSpec, sources: Sources) -> Decision:
    """`uid_map` and `gid_map`; a violation if the container has a user namespace without mappings."""
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


def _outside(id_map: IdMap, inside: int) -> int | None:
    for first, outside, length in id_map:
        if first <= inside < first + length:
            return outside + inside - first
    return None


def _covered(id_map: IdMap, host: int) -> bool:
    return any(outside <= host < outside + length for _, outside, length in id_map)
