"""The verbs of images: CRI's messages to the image store's functions, and back."""

from __future__ import annotations

import msgspec
from msgspec import structs

from podward.api import cri_images
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
from podward.api.cri_stats import FilesystemIdentifier, FilesystemUsage
from podward.api.cri_status import Image
from podward.errors import ImageError
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller

_NO_NAME = CriRefusal(CriCode.INVALID_ARGUMENT, "no image is named")


def pull(service: RuntimeService, request: PullImageRequest, caller: Caller) -> PullImageResponse | CriRefusal:
    """PullImage. It ends with its client: then nothing of the image is there that others can see."""
    name = _name(request.image)
    if not name:
        return _NO_NAME
    caller.end_with_it()
    auth = cri_images.AuthConfig(**structs.asdict(request.auth)) if request.auth else None
    return PullImageResponse(service.image_service.pull(name, auth))


def remove(service: RuntimeService, request: RemoveImageRequest, _caller: Caller) -> RemoveImageResponse | CriRefusal:
    """RemoveImage; one that is not here is fine."""
    name = _name(request.image)
    if not name:
        return _NO_NAME
    service.image_service.remove(name)
    return RemoveImageResponse()


def status(service: RuntimeService, request: ImageStatusRequest, _caller: Caller) -> ImageStatusResponse | CriRefusal:
    """ImageStatus; of one that is not here, nothing. Asked for more it tells the image's configuration."""
    name = _name(request.image)
    if not name:
        return _NO_NAME
    found = service.image_service.status(name)
    if found is None:
        return ImageStatusResponse()
    info = {}
    if request.verbose:
        config = msgspec.Raw(service.image_service.config(found.id).encode() or b"null")
        info["info"] = msgspec.json.encode({"imageSpec": config}).decode()
    return ImageStatusResponse(_image(found), info)


def listed(service: RuntimeService, request: ListImagesRequest, _caller: Caller) -> ListImagesResponse | CriRefusal:
    """ListImages; a filter that is no image's name finds none."""
    name = _name(request.filter.image) if request.filter else ""
    try:
        return ListImagesResponse(tuple(map(_image, service.image_service.list(name))))
    except ImageError:
        return ListImagesResponse()


def filesystem(
    service: RuntimeService, request: ImageFsInfoRequest, _caller: Caller
) -> ImageFsInfoResponse | CriRefusal:
    """ImageFsInfo: what containers write is on the same file system, in the state directory."""
    del request
    found = service.image_service.filesystem()
    usage = FilesystemUsage(
        found.timestamp, FilesystemIdentifier(found.mountpoint), found.used_bytes, found.inodes_used
    )
    return ImageFsInfoResponse((usage,), (usage,))


def _name(image: ImageSpec | None) -> str:
    return image.image if image else ""


def _image(found: cri_images.ImageStatus) -> Image:
    return Image(
        id=found.id,
        repo_tags=found.repo_tags,
        repo_digests=found.repo_digests,
        size=found.size,
        uid=found.uid,
        username=found.username,
        spec=ImageSpec(found.id),
        pinned=found.pinned,
    )
