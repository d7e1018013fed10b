"""Volumes of files that are made for the Pod: secret, configMap, downwardAPI and projected.

Which files there are, with which modes and owners, is `policy.kubelet.volume_files`' to say; `atomic` writes them. The
data of Secrets is read from the objects only here, and goes nowhere but into the files.
"""

from __future__ import annotations

import os

from podward.api.content import (
    Content,
    ContentObject,
    FieldContent,
    KeyContent,
    TokenContent,
)
from podward.decision import Decision, Violation
from podward.policy.kubelet import empty_dir, resources
from podward.policy.kubelet.volume_files import RULE, VolumeFile, VolumeFiles, decide
from podward.policy.kubelet.volume_paths import nested_mount_points
from podward.runtime import machine
from podward.runtime.volumes import atomic, empty, ownership
from podward.runtime.volumes.request import MadeVolume, PreparedVolume, VolumeRequest


def prepare(request: VolumeRequest) -> MadeVolume:
    """Write the files. Where something is awaited or unknown, which refuses the Pod, the volume stays empty."""
    decision = _decided(request)
    if decision.final:
        return MadeVolume(decision)
    plan, target = decision.fold(VolumeFiles), request.target
    memory = resources.pod_memory_limit(request.pod.spec) or machine.memory()
    medium = plan.medium if request.node.mounts else ""
    empty.make(empty_dir.EmptyDirectory(medium, min(memory, machine.memory())), target)
    _make_mount_points(request)
    if not decision.refused:
        _write(plan, request)
    prepared = PreparedVolume(request.volume.name, target, managed=True, readonly=True)
    return MadeVolume(decision.at(request.where), prepared)


def renew(request: VolumeRequest) -> Decision:
    """Write the files of a volume that `prepare` has made as they are now; where that is refused, they stay."""
    decision = _decided(request)
    if not decision.refused:
        _write(decision.fold(VolumeFiles), request)
    return decision


def _decided(request: VolumeRequest) -> Decision:
    decision = decide(request.volume, request.about, request.where)
    unknown = tuple(
        Violation(request.where, request.volume.name, f'volume "{request.volume.name}": {u.why}: {u.remedy}', RULE)
        for u in decision.unknowns
    )
    return decision + Decision(violations=unknown)


def _write(plan: VolumeFiles, request: VolumeRequest) -> None:
    files = [_written(file, request) for file in plan.files]
    atomic.write(request.target, files, lambda: _give(request.target, plan.group))


def _make_mount_points(request: VolumeRequest) -> None:
    for point in nested_mount_points(request.pod, request.volume.name):
        at = request.target
        for step in point.split("/"):
            at = f"{at}/{step}"
            if not os.path.isdir(at):
                os.mkdir(at, 0o700)
                os.chmod(at, 0o755)  # noqa: S103  # the kubelet's mode of a mount point in a volume


def _give(target: str, group: int | None) -> None:
    if group is not None:
        ownership.give_to_group(target, group, readonly=True)


def _written(file: VolumeFile, request: VolumeRequest) -> atomic.WrittenFile:
    return atomic.WrittenFile(file.path, file.mode, _data(file.content, request), file.uid)


def _data(content: Content, request: VolumeRequest) -> bytes:
    if isinstance(content, FieldContent):
        return content.text.encode()
    if isinstance(content, KeyContent):
        found = request.objects.contents[content.kind, request.pod.metadata.namespace or "default", content.name]
        return found.data[content.key] if isinstance(found, ContentObject) else b""
    if isinstance(content, TokenContent):
        return request.node.token(content, request.pod).encode()
    from podward.runtime.volumes import tokens  # few Pods have one, and its library is slow to load

    return tokens.certificate()
