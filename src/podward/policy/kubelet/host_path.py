"""Which file of the host a hostPath volume is, and what must be made or refused first.

Specification (kubelet, pkg/volume/hostpath and pkg/volume/validation, in our words):
- The path must not hold a `..` step. It must be absolute: containerd would look for it below its own directory.
- `DirectoryOrCreate` and `FileOrCreate` make what is missing (directories 0755, the file 0644; a file's directory is
  not made); both then, like the other types, want what is there to be of their kind. Links are followed.
- No type, or the empty one: no check. A missing path then becomes a directory, mode 0755, as containerd and CRI-O make
  it.
- The files keep their owner, group and mode: neither fsGroup nor anything else is applied to them.
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
    """The file to mount; `create` is Directory, File or empty: what must be made first."""

    path: str = ""
    create: str = ""


def decide(volume: HostPath, found: str, where: Path, place: Place) -> Decision:
    """The file to mount, or why not.

    `found` is what the path leads to: Directory, File, Socket, CharDevice, BlockDevice, Other (a fifo), or empty where
    nothing is there. `where` is the volume's `hostPath` field.
    """
    if backsteps(volume.path):
        reason = f"invalid HostPath `{volume.path}`: {NO_BACKSTEPS}"
        return refuse(where / "path", volume.path, reason, RULE)
    if not volume.path.startswith("/"):
        return refuse(where / "path", volume.path, _ABSOLUTE, RUNTIMES)
    source = Source(Origin.MANIFEST, place.document, where / "path")
    decision = assign(path("path"), volume.path, "hostPath.path", source)
    wanted = volume.type or ""
    if wanted:
        return decision + _checked(volume, wanted, found, where, place)
    if found:
        return decision
    return decision + assign(path("create"), "Directory", "nothing is there, and no type is asked for", RUNTIMES)


def _checked(volume: HostPath, wanted: str, found: str, where: Path, place: Place) -> Decision:
    kind = _CREATES.get(wanted, wanted)
    if kind not in _DESCRIBED:
        return refuse(where / "type", wanted, f"{wanted} is an invalid volume type", RULE)
    if found == kind:
        return Decision()
    if found:
        return refuse(where / "type", wanted, _mismatch(volume.path, kind, found), RULE)
    if wanted in _CREATES:
        source = Source(Origin.MANIFEST, place.document, where / "type")
        return assign(path("create"), kind, f"nothing is there: {wanted}", source)
    return refuse(where / "path", volume.path, f"hostPath {volume.path} doesn't exist", RULE)


def backsteps(text: str) -> bool:
    """Whether a path holds a `..` step."""
    return ".." in text.split("/")


def _mismatch(text: str, kind: str, found: str) -> str:
    if found == "Other":
        why = "only recognise file, directory, socket, block device and character device"
        return f"hostPath type check failed, {text} is not a {_DESCRIBED[kind]}, unable to determine its type: {why}"
    return f"hostPath type check failed: {text} is not a {_DESCRIBED[kind]}, it's a {found}"
