"""The verbs of the runtime service, by name: what a front may have done, and which function does it."""

from __future__ import annotations

from typing import cast

from podward.api import cri_image_requests as cri_images
from podward.api import cri_requests as cri
from podward.runtime.service import (
    container_changes,
    container_ending,
    container_making,
    container_starting,
    container_status,
    container_streams,
    execs,
    images,
    network_config,
    recovery,
    sandbox_changes,
    sandboxes,
)
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Verb

RUN_POD_SANDBOX = Verb("RunPodSandbox", cri.RunPodSandboxRequest, cri.RunPodSandboxResponse, sandboxes.run)
STOP_POD_SANDBOX = Verb("StopPodSandbox", cri.StopPodSandboxRequest, cri.StopPodSandboxResponse, sandboxes.stop)
REMOVE_POD_SANDBOX = Verb(
    "RemovePodSandbox", cri.RemovePodSandboxRequest, cri.RemovePodSandboxResponse, sandboxes.remove
)
UPDATE_POD_SANDBOX_RESOURCES = Verb(
    "UpdatePodSandboxResources",
    cri.UpdatePodSandboxResourcesRequest,
    cri.UpdatePodSandboxResourcesResponse,
    sandbox_changes.update,
)
POD_SANDBOX_STATUS = Verb(
    "PodSandboxStatus", cri.PodSandboxStatusRequest, cri.PodSandboxStatusResponse, sandboxes.status
)
LIST_POD_SANDBOX = Verb("ListPodSandbox", cri.ListPodSandboxRequest, cri.ListPodSandboxResponse, sandboxes.listed)
UPDATE_RUNTIME_CONFIG = Verb(
    "UpdateRuntimeConfig",
    cri.UpdateRuntimeConfigRequest,
    cri.UpdateRuntimeConfigResponse,
    network_config.update,
)
RECOVER = Verb("Recover", recovery.RecoverRequest, recovery.RecoverResponse, recovery.recover)
SETTLE_INTERRUPTED = Verb(
    "SettleInterrupted", recovery.RecoverRequest, recovery.RecoverResponse, recovery.settle_interrupted
)

CREATE_CONTAINER = Verb(
    "CreateContainer", cri.CreateContainerRequest, cri.CreateContainerResponse, container_making.create
)
START_CONTAINER = Verb(
    "StartContainer", cri.StartContainerRequest, cri.StartContainerResponse, container_starting.start
)
STOP_CONTAINER = Verb("StopContainer", cri.StopContainerRequest, cri.StopContainerResponse, container_ending.stop)
REMOVE_CONTAINER = Verb(
    "RemoveContainer", cri.RemoveContainerRequest, cri.RemoveContainerResponse, container_ending.remove
)
CONTAINER_STATUS = Verb(
    "ContainerStatus", cri.ContainerStatusRequest, cri.ContainerStatusResponse, container_status.status
)
LIST_CONTAINERS = Verb("ListContainers", cri.ListContainersRequest, cri.ListContainersResponse, container_status.listed)
UPDATE_CONTAINER_RESOURCES = Verb(
    "UpdateContainerResources",
    cri.UpdateContainerResourcesRequest,
    cri.UpdateContainerResourcesResponse,
    container_changes.update,
)
UPDATE_FOR_PLUGINS = Verb(
    "UpdateForPlugins",
    cri.UpdateContainerResourcesRequest,
    cri.UpdateContainerResourcesResponse,
    container_changes.update_for_plugins,
)
REOPEN_CONTAINER_LOG = Verb(
    "ReopenContainerLog",
    cri.ReopenContainerLogRequest,
    cri.ReopenContainerLogResponse,
    container_changes.reopen_log,
)
EXEC_SYNC = Verb("ExecSync", cri.ExecSyncRequest, cri.ExecSyncResponse, execs.exec_sync)
EXEC = Verb("Exec", cri.ExecRequest, execs.ExecAnswer, execs.exec_streams)
ATTACH = Verb("Attach", cri.AttachRequest, container_streams.AttachAnswer, container_streams.attach)
CONNECT = Verb("Connect", container_streams.ConnectRequest, container_streams.ConnectAnswer, container_streams.connect)
"""A connection to a port of a sandbox: one for each that PortForward passes on."""

PULL_IMAGE = Verb("PullImage", cri_images.PullImageRequest, cri_images.PullImageResponse, images.pull)
LIST_IMAGES = Verb("ListImages", cri_images.ListImagesRequest, cri_images.ListImagesResponse, images.listed)
IMAGE_STATUS = Verb("ImageStatus", cri_images.ImageStatusRequest, cri_images.ImageStatusResponse, images.status)
REMOVE_IMAGE = Verb("RemoveImage", cri_images.RemoveImageRequest, cri_images.RemoveImageResponse, images.remove)
IMAGE_FS_INFO = Verb("ImageFsInfo", cri_images.ImageFsInfoRequest, cri_images.ImageFsInfoResponse, images.usage)
SETTLE_CONTAINER = Verb(
    "SettleContainer", container_ending.SettleRequest, container_ending.SettleResponse, container_ending.settle_ended
)
"""No client's: what is done when a container's monitor has written its exit code."""

_ALL: tuple[object, ...] = (
    SETTLE_CONTAINER,
    CREATE_CONTAINER,
    START_CONTAINER,
    STOP_CONTAINER,
    REMOVE_CONTAINER,
    CONTAINER_STATUS,
    LIST_CONTAINERS,
    UPDATE_CONTAINER_RESOURCES,
    UPDATE_FOR_PLUGINS,
    REOPEN_CONTAINER_LOG,
    EXEC_SYNC,
    EXEC,
    ATTACH,
    CONNECT,
    RUN_POD_SANDBOX,
    STOP_POD_SANDBOX,
    REMOVE_POD_SANDBOX,
    UPDATE_POD_SANDBOX_RESOURCES,
    POD_SANDBOX_STATUS,
    LIST_POD_SANDBOX,
    UPDATE_RUNTIME_CONFIG,
    RECOVER,
    SETTLE_INTERRUPTED,
    PULL_IMAGE,
    LIST_IMAGES,
    IMAGE_STATUS,
    REMOVE_IMAGE,
    IMAGE_FS_INFO,
)
VERBS = {verb.name: verb for verb in cast("tuple[Verb[RuntimeService, object, object], ...]", _ALL)}
"""What the engine is started with."""
