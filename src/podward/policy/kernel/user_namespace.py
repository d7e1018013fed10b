"""The user namespace: how ids of the container map to ids of the host.

Specification (user_namespaces(7), Linux 6.18 `kernel/user_namespace.c`; runtime-spec 1.0.2 `linux.uidMappings`), in
our words: a process without its own user namespace has the host's identity map, one line that maps 4294967295 ids from
0 to 0. A process with its own has the lines of the spec; the host reads them in the order in which they were written,
or sorted by the inside id if there are more than five. A process cannot have or get an id that no line covers.
Both crun 1.8 and runc 1.1 refuse a user namespace without mappings.

Podward itself may be in a user namespace, as root of it, where an ordinary user has started it. Then "the host" is that
namespace: all ids outside of a container are ids of it, as the kernel shows them to Podward, and a container without a
user namespace of its own has the identity map of the ids that it has.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.node import IDENTITY, IdMap, Node
from podward.api.oci import LinuxIDMapping, RuntimeSpec
from podward.decision import Decision, assign, merge, refuse
from podward.path import path
from podward.policy.kernel.sources import Sources, rule

KEPT_AS_WRITTEN = 5
MANUAL = rule("user_namespaces(7)")


class UserNamespace(Struct, frozen=True, gc=False):
    """The id maps of a user namespace; "outside" ids are ids of the host."""

    uid_map: IdMap = IDENTITY
    gid_map: IdMap = IDENTITY

    @property
    def own(self) -> bool:
        """Whether it differs from the host's user namespace."""
        return not (is_identity(self.uid_map) and is_identity(self.gid_map))

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


def is_identity(id_map: IdMap) -> bool:
    """Whether each id is the same outside: the map of the host's own user namespace."""
    return all(inside == outside for inside, outside, _ in id_map)


def seen_from_inside(id_map: IdMap) -> IdMap:
    """A user namespace's map as its own processes are seen by others in it: each id is itself."""
    return id_map if id_map == IDENTITY else tuple((inside, inside, length) for inside, _, length in id_map)


def decide(spec: RuntimeSpec, node: Node, sources: Sources) -> Decision:
    """`uid_map` and `gid_map`; a violation if the container has a user namespace without mappings."""
    if not any(namespace.type == "user" for namespace in spec.linux.namespaces):
        return _as_ours("uid_map", node.uid_map) + _as_ours("gid_map", node.gid_map)
    return merge(
        _mapped("uid_map", "uidMappings", spec.linux.uid_mappings, sources),
        _mapped("gid_map", "gidMappings", spec.linux.gid_mappings, sources),
    )


def _as_ours(name: str, ours: IdMap) -> Decision:
    """The map of a container without a user namespace of its own."""
    reason = "no user namespace of its own: the host's ids"
    if ours != IDENTITY:
        reason = f"no user namespace of its own: the ids of ours, which are the machine's {spans(ours)}"
    return assign(path(name), seen_from_inside(ours), reason, MANUAL)


def spans(id_map: IdMap) -> str:
    """The ids outside that a map has, as people write ranges."""
    return ", ".join(
        f"{outside}-{outside + length - 1}" if length > 1 else str(outside) for _, outside, length in id_map
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
