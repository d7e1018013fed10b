"""Removes images that nobody uses where the node's disk is full, or that are old.

Specification (kubelet, `StartGarbageCollection` of pkg/kubelet, pkg/kubelet/images image_gc_manager.go, in our words):
this is done as the node begins, and every five minutes. What images a container uses the runtime says: those of all
containers, also ended ones, and those of their image volumes. A failure is told to the log, and from the second in a
row by an event of the node (ImageGCFailed); that too little became free at once (FreeDiskSpaceFailed).

Ours: with our own runtime an image that no registry has given stays: nobody could bring it back.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from msgspec import structs

from podward.api import go_duration
from podward.api.cri import ImageSpec
from podward.api.cri_image_requests import ImageFsInfoRequest, ListImagesRequest, RemoveImageRequest
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import ContainerStatusRequest, ListContainersRequest
from podward.api.cri_status import ContainerFilter, Image
from podward.api.json_value import JsonObject
from podward.client.work import Regularly
from podward.errors import RuntimeFailedError
from podward.node.context import NodeContext
from podward.policy.kubelet import image_collection as policy
from podward.policy.kubelet.image_collection import Known
from podward.policy.kubelet.pod_events import WARNING
from podward.runtime.service import verbs

_EACH = 300.0
_NO_CAPACITY = "invalid capacity 0 on image filesystem"


class ImageCollection:
    """Looks after the images of the node."""

    def __init__(self, context: NodeContext, changed: Callable[[], None]) -> None:
        """`changed` is told that images have gone."""
        self._context = context
        self._runtime = context.runtime
        self._thresholds = context.options.images
        self._changed = changed
        self._known: dict[str, Known] = {}
        self._began = time.monotonic()
        self._failed = False
        self._regularly = Regularly("image collection", self.look, _EACH)

    async def start(self) -> None:
        """Begin to look, unless no image ever goes."""
        if not self._thresholds.never:
            self._began = time.monotonic()
            await self._regularly.start()

    async def close(self) -> None:
        """Look no more."""
        await self._regularly.close()

    async def look(self) -> None:
        """Collect, and tell what fails."""
        try:
            await self._collect()
            self._failed = False
        except RuntimeFailedError as error:
            self._tell_failure(error.what)
        except Exception as error:  # noqa: BLE001 - what goes wrong once must not end it for ever
            self._context.log.broke("images cannot be collected", error)

    async def _collect(self) -> None:
        """Remove what may go and has to. Raises RuntimeFailedError where that cannot be done, or is not enough."""
        now = time.monotonic()
        images, used = await self._images(), await self._used()
        self._known = policy.known(self._known, images, used, now)
        left = policy.unused(self._known, used)
        old = policy.too_old(self._thresholds, left, now, self._began)
        _, errors = await self._remove(old, sum(image.size for image in old) + 1)
        if errors:
            age = go_duration.text_of(self._thresholds.greatest_age)
            raise RuntimeFailedError(
                f"wanted to free images older than {age}, encountered errors in image deletion: {_joined(errors)}"
            )
        await self._free([image for image in left if image not in old], now)

    async def _free(self, images: list[Known], now: float) -> None:
        """Have as much of the disk free as is wanted."""
        short = policy.shortage(self._thresholds, *await self._room())
        if short is None:
            return
        freed, errors = await self._remove(policy.old_enough(self._thresholds, images, now), short.missing)
        if errors:
            what = f"wanted to free {short.missing} bytes, but freed {freed} bytes space with errors in image deletion"
            raise RuntimeFailedError(f"{what}: {_joined(errors)}")
        if freed < short.missing:
            self._event("FreeDiskSpaceFailed", short.told(freed))
            raise RuntimeFailedError(short.told(freed))

    async def _images(self) -> list[Image]:
        listed = await self._runtime.call(verbs.LIST_IMAGES, ListImagesRequest())
        if isinstance(listed, CriRefusal):
            raise RuntimeFailedError(listed.as_error)
        ours = not self._context.options.endpoint
        return [structs.replace(each, pinned=each.pinned or (ours and not each.repo_digests)) for each in listed.images]

    async def _used(self) -> set[str]:
        """The ids of the images that containers use."""
        listed = await self._runtime.call(verbs.LIST_CONTAINERS, ListContainersRequest(ContainerFilter()))
        if isinstance(listed, CriRefusal):
            raise RuntimeFailedError(listed.as_error)
        used: set[str] = set()
        for each in listed.containers:
            used |= {each.image_id, each.image_ref}
            told = await self._runtime.call(verbs.CONTAINER_STATUS, ContainerStatusRequest(each.id))
            if isinstance(told, CriRefusal):
                if told.code is CriCode.NOT_FOUND:  # it was removed just now
                    continue
                raise RuntimeFailedError(f"get container status: {told.as_error}")
            for mount in told.status.mounts if told.status is not None else ():
                used |= {mount.image.image, mount.image.image_ref} if mount.image is not None else set()
        return used

    async def _room(self) -> tuple[int, int]:
        """The capacity of the file system where images are, and what of it is free."""
        told = await self._runtime.call(verbs.IMAGE_FS_INFO, ImageFsInfoRequest())
        if isinstance(told, CriRefusal):
            raise RuntimeFailedError(told.as_error)
        if not told.image_filesystems:
            raise RuntimeFailedError("imageFs information is unavailable")
        place = told.image_filesystems[0].fs_id
        try:
            room = os.statvfs(place.mountpoint if place is not None else "")
        except FileNotFoundError:
            room = None
        except OSError as error:
            raise RuntimeFailedError(f"get filesystem info: {error.strerror}") from error
        if room is None or not room.f_blocks:
            self._event("InvalidDiskCapacity", _NO_CAPACITY)
            raise RuntimeFailedError(_NO_CAPACITY)
        return room.f_blocks * room.f_frsize, room.f_bavail * room.f_frsize

    async def _remove(self, images: list[Known], wanted: int) -> tuple[int, list[str]]:
        """Remove images until so much is free: how much is, and what went wrong."""
        freed, errors = 0, []
        for image in images:
            self._context.log.note(f"removing image {image.id} to free {image.size} bytes")
            answer = await self._runtime.call(verbs.REMOVE_IMAGE, RemoveImageRequest(ImageSpec(image.id)))
            if isinstance(answer, CriRefusal):
                errors.append(answer.as_error)
                continue
            self._known.pop(image.id, None)
            self._changed()
            freed += image.size
            if freed >= wanted:
                break
        return freed, errors

    def _tell_failure(self, message: str) -> None:
        often = "multiple times in a row" if self._failed else "once"
        self._context.log.failed(f"image garbage collection failed {often}: {message}")
        if self._failed:
            self._event("ImageGCFailed", message)
        self._failed = True

    def _event(self, reason: str, message: str) -> None:
        """Tell it of the node."""
        node: JsonObject = {"apiVersion": "v1", "kind": "Node", "metadata": {"name": self._context.options.name}}
        self._context.recorder.event(node, WARNING, reason, message)


def _joined(errors: list[str]) -> str:
    """Several errors as one, each once, as Go prints an aggregate."""
    different = list(dict.fromkeys(errors))
    return different[0] if len(different) == 1 else f"[{', '.join(different)}]"
