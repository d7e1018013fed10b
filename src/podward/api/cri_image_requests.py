"""CRI v1 messages: what the verbs of images are asked, and what they answer.

Only the CRI service needs them. Every class has the name of its message in `runtime.v1`.
"""

from __future__ import annotations

from msgspec import field

from podward.api.cri import ImageSpec, Message, PodSandboxConfig
from podward.api.cri_stats import FilesystemUsage
from podward.api.cri_status import AuthConfig, Image, ImageFilter


class ListImagesRequest(Message, frozen=True):
    """What ListImages is asked."""

    filter: ImageFilter | None = None


class ListImagesResponse(Message, frozen=True):
    """What ListImages answers."""

    images: tuple[Image, ...] = ()


class StreamImagesRequest(Message, frozen=True):
    """What StreamImages is asked."""

    filter: ImageFilter | None = None


class StreamImagesResponse(Message, frozen=True):
    """What StreamImages answers."""

    images: tuple[Image, ...] = ()


class ImageStatusRequest(Message, frozen=True):
    """What ImageStatus is asked."""

    image: ImageSpec | None = None
    verbose: bool = False


class ImageStatusResponse(Message, frozen=True):
    """What ImageStatus answers."""

    image: Image | None = None
    info: dict[str, str] = field(default_factory=dict)


class PullImageRequest(Message, frozen=True):
    """What PullImage is asked."""

    image: ImageSpec | None = None
    auth: AuthConfig | None = None
    sandbox_config: PodSandboxConfig | None = None


class PullImageResponse(Message, frozen=True):
    """What PullImage answers."""

    image_ref: str = ""


class RemoveImageRequest(Message, frozen=True):
    """What RemoveImage is asked."""

    image: ImageSpec | None = None


class RemoveImageResponse(Message, frozen=True):
    """What RemoveImage answers."""


class ImageFsInfoRequest(Message, frozen=True):
    """What ImageFsInfo is asked."""


class ImageFsInfoResponse(Message, frozen=True):
    """What ImageFsInfo answers."""

    image_filesystems: tuple[FilesystemUsage, ...] = ()
    container_filesystems: tuple[FilesystemUsage, ...] = ()
