"""What containers that start before this one may make of the files of a volume that they share with it.

Specification (path_resolution(7), chown(2), chmod(2), rename(2), in our words): who mounts a volume writable may change
the owner and mode of a file that is its own, or of any with CAP_CHOWN, CAP_FOWNER or CAP_DAC_OVERRIDE, and may make
and replace files in a directory that lets it write. Init containers have ended before the others start, the others
start in their order. A process of which nothing is known may do everything.
"""

from __future__ import annotations

from msgspec import Struct, structs

from podward.api.capability import BITS, CAP_DAC_OVERRIDE
from podward.api.core import Container, VolumeMount
from podward.api.filesystem import FileAccessFacts, MountFlags
from podward.api.process import ProcessState
from podward.policy.kernel import access, acl

_OWNERS = BITS["CAP_CHOWN"] | BITS["CAP_FOWNER"] | CAP_DAC_OVERRIDE


class EarlierContainer(Struct, frozen=True):
    """A container that starts before the one that is asked about, and its predicted process if that is known."""

    container: Container
    process: ProcessState | None = None


class Writer(Struct, frozen=True):
    """A container that mounts a part of the volume writable.

    `below` are the names of that part, seen from what is mounted in the container that is asked about. `may_be_root`:
    the part begins above it, so the writer may make what is mounted.
    """

    name: str
    below: tuple[str, ...] = ()
    may_be_root: bool = False
    process: ProcessState | None = None

    def reaches(self, names: tuple[str, ...]) -> bool:
        """Whether it has the file at these names below what is mounted."""
        return names[: len(self.below)] == self.below

    def may_change(self, file: FileAccessFacts) -> bool:
        """Whether its process may change who owns the file and who may use it."""
        process = self.process
        return process is None or bool(process.cap_effective & _OWNERS) or process.uid[acl.FILE_SYSTEM] == file.uid

    def may_create(self, directory: FileAccessFacts) -> bool:
        """Whether its process may make something in the directory, as far as ids and mode decide."""
        if self.process is None:
            return True
        writable = structs.replace(directory, mount=MountFlags())
        return access.can(self.process, (writable,), "w")


def writers(mount: VolumeMount, earlier: tuple[EarlierContainer, ...]) -> tuple[Writer, ...]:
    """Who may write to what this mount shows."""
    found = []
    own = _names(mount)
    for each in earlier:
        for other in each.container.volume_mounts or ():
            if other.name != mount.name or other.read_only:
                continue
            theirs = () if other.sub_path_expr else _names(other)
            if theirs[: len(own)] == own:
                found.append(Writer(each.container.name, theirs[len(own) :], False, each.process))
            elif own[: len(theirs)] == theirs:
                found.append(Writer(each.container.name, (), True, each.process))
    return tuple(found)


def _names(mount: VolumeMount) -> tuple[str, ...]:
    return tuple(name for name in (mount.sub_path or "").split("/") if name not in {"", "."})
