"""Id ranges of Pods with a user namespace: 65536 ids each, never overlapping, remembered across restarts.

As the kubelet does it, ranges are aligned to 65536 and the lowest free one above the host's own ids is taken. A Pod's
range is written into its directory before anything runs, and is free again only when that directory is gone; so a
crash of Podward can't hand the same range out twice. Ranges that /etc/subuid or /etc/subgid give to users of this
machine are skipped.
"""

from __future__ import annotations

import os

from msgspec import Struct

from podward.api.cri import IDMapping
from podward.api.node import IDENTITY
from podward.errors import NodeError
from podward.runtime import machine
from podward.runtime.oci import write_private
from podward.runtime.state import PodDirectory, State

LENGTH = 65536
_LAST = (1 << 32) // LENGTH - 2
_FILE = "userns"


class Slots(Struct, frozen=True):
    """The ranges that there are, in the order in which they are given; `base` is the first id of number 0."""

    numbers: tuple[int, ...] | range
    base: int = 0

    def range_of(self, slot: int) -> IDMapping:
        """The 65536 ids of a slot."""
        return IDMapping(0, self.base + slot * LENGTH, LENGTH)

    def lowest_free(self, taken: set[int]) -> int:
        """The first slot that is not `taken`; raises NodeError where none is left."""
        slot = next((number for number in self.numbers if number not in taken), None)
        if slot is not None:
            return slot
        advice = "end Pods with `podward rm`"
        if self.base:
            advice += (
                f"; for more of them, {LENGTH} ids each: `usermod --add-subuids FIRST-LAST --add-subgids FIRST-LAST`"
            )
        raise NodeError("no user namespace range is left", advice=advice)


def slots() -> Slots:
    """Those of this machine, or of the user namespace that we are in."""
    uids, gids = machine.id_map("uid_map"), machine.id_map("gid_map")
    if uids == gids == IDENTITY:
        return Slots(range(1, _LAST))
    held = min(max(inside + length for inside, _, length in lines) for lines in (uids, gids))
    whole = (held - 1) // LENGTH
    return Slots((*range(1, whole), *range(min(whole, 1))), base=1)


def allocate(state: State, pod: PodDirectory) -> IDMapping:
    """The range that this Pod keeps until its directory is removed."""
    with state.lock():
        there = slots()
        slot = there.lowest_free(taken(state))
        write_private(f"{pod.path}/{_FILE}", f"{slot}\n".encode())
    return there.range_of(slot)


def keep(state: State, directory: str) -> IDMapping:
    """The range of the Pod that has this directory on a node (`node_pods`): given once, and kept as long as that."""
    with state.lock():
        there = slots()
        given = _given(directory)
        if given is not None:
            return given
        slot = there.lowest_free(taken(state))
        write_private(f"{directory}/{_FILE}", f"{slot}\n".encode())
    return there.range_of(slot)


def of(state: State, pod: str) -> IDMapping | None:
    """The range of the Pod with this id; None where it has no user namespace."""
    return _given(f"{state.pods}/{pod}")


def _given(directory: str) -> IDMapping | None:
    try:
        with open(f"{directory}/{_FILE}", encoding="ascii") as file:
            return slots().range_of(int(file.read()))
    except FileNotFoundError:
        return None


def taken(state: State | None) -> set[int]:
    """The slots of all Pods of this state, and of the users to whom this machine delegates ids."""
    there = slots()
    found = set() if there.base else _delegated("/etc/subuid") | _delegated("/etc/subgid")
    for home in (state.pods, state.node_pods) if state is not None else ():
        for name in os.listdir(home) if os.path.isdir(home) else ():
            given = _given(f"{home}/{name}")
            if given is not None:
                found.add((given.host_id - there.base) // LENGTH)
    return found


def _delegated(file: str) -> set[int]:
    """The slots that overlap a `name:start:count` line (subuid(5))."""
    slots: set[int] = set()
    try:
        with open(file, encoding="utf-8", errors="replace") as opened:
            lines = opened.read().splitlines()
    except FileNotFoundError:
        return slots
    for line in lines:
        fields = line.split(":")
        if len(fields) == 3 and fields[1].isdigit() and fields[2].isdigit() and int(fields[2]):
            first, last = int(fields[1]), int(fields[1]) + int(fields[2]) - 1
            slots.update(range(first // LENGTH, min(last // LENGTH, _LAST) + 1))
    return slots
