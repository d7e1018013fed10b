"""Which file of the host a hostPath volume mounts, whether the kubelet creates it first, and when it is refused.

Specification (kubelet, pkg/volume/hostpath and pkg/volume/validation, in our words):
- The path must not contain `..`. It must be absolute: containerd would resolve a relative path in its own directory.
- `DirectoryOrCreate` and `FileOrCreate` create a missing file (directories with 0755, a file with 0644, but not the
  file's directory). All types refuse a file of another kind, the others in the same words a missing one. Links are
  followed.
- Without a type, or with an empty one, nothing is checked. containerd and CRI-O then create a directory with mode 0755
  at a missing path.
- The files keep their owner, group and mode: the kubelet does not apply fsGroup to them.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.effective import Place
from podward.api.version import KUBERNETES
from podward.api.volume import HostPath
from podward.decision import Decision, Origin, Source, assign, refuse
from podward.path import Path, path

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} hostPath")
RUNTIMES = Source(Origin.RULE, "containerd 2.1 mounts")

NO_BACKSTEPS = "must not contain '..'"
_DESCRIBED = {
    "Directory": "directory",
    "File": "file",
    "Socket": "socket file",
    "CharDevice": "character device",
    "BlockDevice": "block device",
}
_CREATES = {"DirectoryOrCreate": "Directory", "FileOrCreate": "File"}
_ABSOLUTE = "the hostPath must be absolute: no directory of this machine is meant by a relative one"


class HostFile(Struct, frozen=True, gc=False):
    """The file to mount; `create` is the kind of file to create first (Directory or File), empty for none."""

    path: str = ""
    create: str = ""


def decide(volume: HostPath, found: str, where: Path, place: Place) -> Decision:
    """The fields of `HostFile`; a violation if the volume is refused.

    `found` is the kind of file at the path: Directory, File, Socket, CharDevice, BlockDevice, Other (a fifo), or empty
    if there is none. `where` is the path of the volume's `hostPath` field.
    """
    if backsteps(volume.path):
        reason = f"invalid HostPath `{volume.path}`: {NO_BACKSTEPS}"
        return refuse(where / "path", volume.path, reason, RULE)
    if not volume.path.startswith("/"):
        return refuse(where / "path", volume.path, _ABSOLUTE, RUNTIMES)
    source = Source(Origin.MANIFEST, place.document, where / "path")
    decision = assign(path("path"), volume.path, "hostPath.path", source)
    type_name = volume.type or ""
    if type_name:
        return decision + _check_type(volume, type_name, found, where, place)
    if found:
        return decision
    return decision + assign(path("create"), "Directory", "nothing is there, and no type is asked for", RUNTIMES)


def decide_local(directory: str, found: str, where: Path) -> Decision:
    """A violation if a local volume's directory can't be mounted; `found` as in `decide`.

    A local volume may also be a disk, which the kubelet formats and mounts: not here.
    """
    if backsteps(directory):
        return refuse(where, directory, f"invalid path: {directory} {NO_BACKSTEPS}", RULE)
    if not directory.startswith("/"):
        return refuse(where, directory, _ABSOLUTE, RUNTIMES)
    if not found:
        return refuse(where, directory, f'path "{directory}" of the local volume does not exist', RULE)
    if found != "Directory":
        return refuse(where, directory, f'path "{directory}" of the local volume is no directory', RULE)
    return Decision()


def _check_type(volume: HostPath, type_name: str, found: str, where: Path, place: Place) -> Decision:
    kind = _CREATES.get(type_name, type_name)
    if kind not in _DESCRIBED:
        return refuse(where / "type", type_name, f"{type_name} is an invalid volume type", RULE)
    if found == kind:
        return Decision()
    if not found and type_name in _CREATES:
        source = Source(Origin.MANIFEST, place.document, where / "type")
        return assign(path("create"), kind, f"nothing is there: {type_name}", source)
    reason = f"hostPath type check failed: {volume.path} is not a {_DESCRIBED[kind]}"
    return refuse(where / "type", type_name, reason, RULE)


def backsteps(text: str) -> bool:
    """Whether a path contains a `..` element."""
    return ".." in text.split("/")
