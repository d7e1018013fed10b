"""emptyDir volumes: a directory of the Pod's own, or a tmpfs."""

from __future__ import annotations

import errno
import os

from podward.decision import Decision
from podward.errors import NodeError
from podward.policy.kubelet import empty_dir
from podward.policy.kubelet.empty_dir import MODE, EmptyDirectory
from podward.runtime import machine, syscalls
from podward.runtime.volumes import ownership
from podward.runtime.volumes.request import MadeVolume, PreparedVolume, VolumeRequest


def prepare(request: VolumeRequest) -> MadeVolume:
    """Make the emptyDir, and give it to the Pod's fsGroup."""
    source = request.volume.empty_dir
    if source is None:
        return MadeVolume(Decision())
    memory = machine.memory() if source.medium == "Memory" else 0
    decision = empty_dir.decide(source, memory, request.pod.spec, request.where, request.place)
    if decision.refused:
        return MadeVolume(decision)
    plan = decision.fold(EmptyDirectory)
    make(plan if request.node.mounts else EmptyDirectory(), request.target)
    decision += ownership.apply(request.target, request.pod, request.place)
    return MadeVolume(decision.at(request.where), PreparedVolume(request.volume.name, request.target, managed=True))


def make(plan: EmptyDirectory, directory: str) -> None:
    """Make `directory` as the plan says; it must not be there yet. Raises NodeError."""
    os.makedirs(os.path.dirname(directory), mode=0o700, exist_ok=True)
    os.mkdir(directory, 0o700)
    os.chmod(directory, MODE)
    if plan.medium == "Memory":
        _mount_tmpfs(directory, plan.size)


def _mount_tmpfs(directory: str, size: int) -> None:
    limit = f"size={size}" if size else ""
    try:
        _try(directory, f"{limit},noswap".lstrip(","))
    except OSError as error:
        if error.errno != errno.EINVAL:  # Linux before 6.4 does not know noswap
            raise _failure(error, directory) from error
        try:
            _try(directory, limit)
        except OSError as again:
            raise _failure(again, directory) from again


def _try(directory: str, options: str) -> None:
    syscalls.mount("tmpfs", directory, "tmpfs", 0, options)


def _failure(error: OSError, directory: str) -> NodeError:
    advice = "run as root with CAP_SYS_ADMIN, or use an emptyDir without medium"
    return NodeError(f"cannot mount a tmpfs: {error.strerror}", where=directory, advice=advice)
