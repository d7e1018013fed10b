"""The files of a volume as `runtime.volumes.files` would make them: a tree of owners, modes, links and contents.

The layout is that of `runtime.volumes.atomic`, but for one thing: `..data` is the directory itself, as the one that it
would link to is named for a time that is not yet. Contents are kept for what is looked at when a process is started
from them; a token has none yet.
"""

from __future__ import annotations

import stat

from msgspec import Struct, structs

from podward.api.content import Content, ContentObject, FieldContent, KeyContent
from podward.api.filesystem import PlannedFile
from podward.policy.kubelet import empty_dir, fs_group, volume_files
from podward.policy.kubelet.volume_files import EVERY_KEY, VolumeFile, VolumeFiles
from podward.policy.kubelet.volume_paths import nested_mount_points
from podward.runtime.volumes.atomic import DATA, DIRECTORY_MODE
from podward.runtime.volumes.request import VolumeRequest


class _Directory(Struct):
    """A directory while it is filled."""

    inside: dict[str, _Directory | PlannedFile]


def layout(plan: VolumeFiles, request: VolumeRequest, *, partial: bool) -> PlannedFile:
    """The top directory of the volume; `partial` where not all of its files are known."""
    data = _Directory({})
    for file in plan.files:
        if file.path != EVERY_KEY:
            uid, gid, mode = volume_files.ownership(file, request.pod)
            content = _data(file.content, request)
            _place(data, file.path, PlannedFile(uid, gid, stat.S_IFREG | mode, data=content))
    top = _Directory({DATA: data})
    for point in nested_mount_points(request.pod, request.volume.name):
        _place(top, point, _Directory({}))
    for name in data.inside:
        top.inside.setdefault(name, PlannedFile(_uid_of(name, plan), 0, stat.S_IFLNK | 0o777, target=f"{DATA}/{name}"))
    sticky = stat.S_ISVTX if plan.medium else 0
    return structs.replace(_made(top, empty_dir.MODE | sticky, plan.group, partial=partial), partial=partial)


def _place(top: _Directory, path: str, what: _Directory | PlannedFile) -> None:
    *steps, name = path.split("/")
    for step in steps:
        inner = top.inside.setdefault(step, _Directory({}))
        if not isinstance(inner, _Directory):
            return  # two files that are each other's directory: the kubelet can't write them either
        top = inner
    top.inside.setdefault(name, what)


def _made(directory: _Directory, mode: int, group: int | None, *, partial: bool) -> PlannedFile:
    """The directory once it was given to the group."""
    given = fs_group.Ownership(0, mode)
    if group is not None:
        given = fs_group.ownership(fs_group.FileFacts("directory", 0, mode), group, readonly=True)
    inside = {
        name: _made(each, DIRECTORY_MODE, group, partial=partial) if isinstance(each, _Directory) else each
        for name, each in directory.inside.items()
    }
    return PlannedFile(0, given.gid, stat.S_IFDIR | (given.mode or mode), inside, partial=partial)


def _uid_of(name: str, plan: VolumeFiles) -> int:
    """The owner of a link: that of a file which it leads to."""
    found: tuple[VolumeFile, ...] = tuple(file for file in plan.files if file.path.split("/", 1)[0] == name)
    return found[0].uid or 0 if found else 0


def _data(content: Content, request: VolumeRequest) -> bytes | None:
    if isinstance(content, FieldContent):
        return content.text.encode()
    if isinstance(content, KeyContent):
        found = request.objects.content(content.kind, request.pod.metadata.namespace or "default", content.name)
        return found.data.get(content.key) if isinstance(found, ContentObject) else None
    return None
