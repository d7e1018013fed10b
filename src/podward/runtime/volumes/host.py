"""hostPath volumes: what is there, and making what is missing. What is right is `policy.kubelet.host_path`'s to say."""

from __future__ import annotations

import os
import stat

from podward.decision import Decision
from podward.errors import NodeError
from podward.policy.kubelet import host_path
from podward.policy.kubelet.host_path import HostFile
from podward.runtime.volumes import ownership
from podward.runtime.volumes.request import MadeVolume, PreparedVolume, VolumeRequest

_KINDS = {
    stat.S_IFDIR: "Directory",
    stat.S_IFREG: "File",
    stat.S_IFSOCK: "Socket",
    stat.S_IFCHR: "CharDevice",
    stat.S_IFBLK: "BlockDevice",
}


def prepare(request: VolumeRequest) -> MadeVolume:
    """Look at the hostPath, and make it where it asks for that."""
    source = request.volume.host_path
    if source is None:
        return MadeVolume(Decision())
    decision = host_path.decide(source, found(source.path), request.where, request.place)
    if decision.refused:
        return MadeVolume(decision)
    plan = decision.fold(HostFile)
    make(plan)
    return MadeVolume(
        decision.at(request.where), PreparedVolume(request.volume.name, os.path.realpath(plan.path), managed=False)
    )


def prepare_local(request: VolumeRequest) -> MadeVolume:
    """Look at the directory of a local volume, and give it to the Pod's fsGroup unless it is read-only."""
    path, readonly = request.resolved.directory, request.resolved.readonly
    decision = host_path.decide_local(path, found(path), request.where)
    if decision.refused:
        return MadeVolume(decision)
    real = os.path.realpath(path)
    if not readonly:
        decision += ownership.apply(real, request.pod, request.place, fresh=False)
    prepared = PreparedVolume(request.volume.name, real, managed=not readonly)
    return MadeVolume(decision.at(request.where), prepared)


def found(path: str) -> str:
    """What `path` leads to, links followed: a type name of hostPath, Other, or empty where nothing is there."""
    try:
        return _KINDS.get(stat.S_IFMT(os.stat(path).st_mode), "Other")
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise NodeError(f"cannot look at the hostPath: {why}", where=path) from error


def make(plan: HostFile) -> None:
    """Make what the plan says is missing: directories of mode 0755, or a file of mode 0644."""
    try:
        if plan.create == "Directory":
            _make_directories(plan.path)
        elif plan.create == "File":
            descriptor = os.open(plan.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            os.fchmod(descriptor, 0o644)
            os.close(descriptor)
    except OSError as error:
        raise NodeError(f"cannot make the hostPath: {error.strerror}", where=plan.path) from error


def _make_directories(path: str) -> None:
    missing = []
    while path and not os.path.isdir(path):
        missing.append(path)
        path = os.path.dirname(path.rstrip("/"))
    for directory in reversed(missing):
        os.mkdir(directory)
        os.chmod(directory, 0o755)  # noqa: S103  # what Kubernetes documents for a hostPath that it makes
