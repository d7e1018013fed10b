"""The verbs of the runtime service, by name: what a front may have done, and which function does it."""

from __future__ import annotations

from typing import cast

from podward.api import cri_image_requests as cri_images
from podward.api import cri_requests as cri
from podward.runtime.service import images, sandboxes
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Verb

RUN_POD_SANDBOX = Verb("RunPodSandbox", cri.RunPodSandboxRequest, cri.RunPodSandboxResponse, sandboxes.run)
STOP_POD_SANDBOX = Verb("StopPodSandbox", cri.StopPodSandboxRequest, cri.StopPodSandboxResponse, sandboxes.stop)
REMOVE_POD_SANDBOX = Verb(
    "RemovePodSandbox", cri.RemovePodSandboxRequest, cri.RemovePodSandboxResponse, sandboxes.remove
)
POD_SANDBOX_STATUS = Verb(
    "PodSandboxStatus", cri.PodSandboxStatusRequest, cri.PodSandboxStatusResponse, sandboxes.status
)
LIST_POD_SANDBOX = Verb("ListPodSandbox", cri.ListPodSandboxRequest, cri.ListPodSandboxResponse, sandboxes.listed)

PULL_IMAGE = Verb("PullImage", cri_images.PullImageRequest, cri_images.PullImageResponse, images.pull)
LIST_IMAGES = Verb("ListImages", cri_images.ListImagesRequest, cri_images.ListImagesResponse, images.listed)
IMAGE_STATUS = Verb("ImageStatus", cri_images.ImageStatusRequest, cri_images.ImageStatusResponse, images.status)
REMOVE_IMAGE = Verb("RemoveImage", cri_images.RemoveImageRequest, cri_images.RemoveImageResponse, images.remove)
IMAGE_FS_INFO = Verb("ImageFsInfo", cri_images.ImageFsInfoRequest, cri_images.ImageFsInfoResponse, images.usage)

_ALL: tuple[object, ...] = (
    RUN_POD_SANDBOX,
    STOP_POD_SANDBOX,
    REMOVE_POD_SANDBOX,
    POD_SANDBOX_STATUS,
    LIST_POD_SANDBOX,
    PULL_IMAGE,
    LIST_IMAGES,
    IMAGE_STATUS,
    REMOVE_IMAGE,
    IMAGE_FS_INFO,
)
VERBS = {verb.name: verb for verb in cast("tuple[Verb[RuntimeService, object, object], ...]", _ALL)}
"""What the engine is started with."""
