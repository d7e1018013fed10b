"""The verbs of the image service: pull, list, status, remove, what images take of the disk.

Specification (CRI v1 api.proto, as containerd 2 does it where that leaves a choice; in our words): an image that is not
here is no error for ImageStatus and RemoveImage. A pull ends with its client: nothing is left of it.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from podward.api.cri import ImageSpec
from podward.api.cri_image_requests import (
    ImageFsInfoRequest,
    ImageFsInfoResponse,
    ImageStatusRequest,
    ImageStatusResponse,
    ListImagesRequest,
    ListImagesResponse,
    PullImageRequest,
    PullImageResponse,
    RemoveImageRequest,
    RemoveImageResponse,
)
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.errors import ImageError, RegistryError, RuntimeFailedError
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller


def pull(service: RuntimeService, request: PullImageRequest, caller: Caller) -> PullImageResponse | CriRefusal:
    """PullImage. Raises ImageError if no registry has the image, or sends another than it says."""
    wanted = request.image or ImageSpec()
    if not wanted.image:
        return _UNNAMED
    choice = service.choice(wanted.runtime_handler)
    if isinstance(choice, CriRefusal):
        return choice
    try:
        with _ended_with(caller):
            return PullImageResponse(service.image_service.pull(wanted.image, request.auth))
    except RegistryError as error:
        return CriRefusal(CriCode.UNAVAILABLE, str(error))


def listed(service: RuntimeService, request: ListImagesRequest, caller: Caller) -> ListImagesResponse | CriRefusal:
    """ListImages: all, or the one that the filter names."""
    del caller
    wanted = request.filter.image if request.filter else None
    try:
        return ListImagesResponse(service.image_service.list(wanted.image if wanted else ""))
    except ImageError as error:
        return _no_name(error)


def status(service: RuntimeService, request: ImageStatusRequest, caller: Caller) -> ImageStatusResponse | CriRefusal:
    """ImageStatus; with `verbose` the image's config is in the info."""
    del caller
    wanted = request.image or ImageSpec()
    if not wanted.image:
        return _UNNAMED
    try:
        found = service.image_service.status(wanted.image)
        if found is None or not request.verbose:
            return ImageStatusResponse(found)
        config = msgspec.Raw(service.image_service.config(found.id).encode())
        info = msgspec.json.encode({"imageSpec": config}).decode()
    except ImageError as error:
        return _no_name(error)
    return ImageStatusResponse(found, {"info": info})


def remove(service: RuntimeService, request: RemoveImageRequest, caller: Caller) -> RemoveImageResponse | CriRefusal:
    """RemoveImage: the image with all its names. The files of one that a container uses go after the container."""
    del caller
    wanted = request.image or ImageSpec()
    if not wanted.image:
        return _UNNAMED
    try:
        service.image_service.remove(wanted.image)
    except ImageError as error:
        return _no_name(error)
    return RemoveImageResponse()


def usage(service: RuntimeService, request: ImageFsInfoRequest, caller: Caller) -> ImageFsInfoResponse:
    """ImageFsInfo. What containers write is on the same file system, which is what an empty list of theirs says."""
    del request, caller
    return ImageFsInfoResponse((service.image_service.filesystem(),))


_UNNAMED = CriRefusal(CriCode.INVALID_ARGUMENT, "no image is named: write a name, a digest or an id into image.image")


def _no_name(error: ImageError) -> CriRefusal:
    return CriRefusal(CriCode.INVALID_ARGUMENT, str(error))


@contextmanager
def _ended_with(caller: Caller) -> Iterator[None]:
    """Leave what is done inside when the caller goes away: the kernel says so with a signal, whatever we wait for."""

    def left(_number: int, _frame: object) -> None:
        if caller.is_gone:
            signal.signal(signal.SIGIO, signal.SIG_IGN)  # cleaning up is not to be left
            raise RuntimeFailedError("nobody waits for the image any more", advice="pull it again")

    signal.signal(signal.SIGIO, left)
    fcntl.fcntl(caller.fileno(), fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(caller.fileno(), fcntl.F_SETFL, fcntl.fcntl(caller.fileno(), fcntl.F_GETFL) | os.O_ASYNC)
    left(0, None)
    yield
    signal.signal(signal.SIGIO, signal.SIG_IGN)
