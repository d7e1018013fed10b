"""CRI v1 messages: what the verbs of sandboxes, containers and the runtime are asked, and what they answer.

Only the CRI service needs them. Every class has the name of its message in `runtime.v1`.
"""

from __future__ import annotations

from msgspec import field

from podward.api.cri import ContainerConfig, LinuxContainerResources, Message, PodSandboxConfig
from podward.api.cri_status import (
    Container,
    ContainerFilter,
    ContainerStatus,
    LinuxRuntimeConfiguration,
    PodSandbox,
    PodSandboxFilter,
    PodSandboxStatus,
    RuntimeConfig,
    RuntimeFeatures,
    RuntimeHandler,
    RuntimeStatus,
)


class VersionRequest(Message, frozen=True):
    """What Version is asked."""

    version: str = ""


class VersionResponse(Message, frozen=True):
    """What Version answers."""

    version: str = ""
    runtime_name: str = ""
    runtime_version: str = ""
    runtime_api_version: str = ""


class RunPodSandboxRequest(Message, frozen=True):
    """What RunPodSandbox is asked."""

    config: PodSandboxConfig | None = None
    runtime_handler: str = ""


class RunPodSandboxResponse(Message, frozen=True):
    """What RunPodSandbox answers."""

    pod_sandbox_id: str = ""


class StopPodSandboxRequest(Message, frozen=True):
    """What StopPodSandbox is asked."""

    pod_sandbox_id: str = ""


class StopPodSandboxResponse(Message, frozen=True):
    """What StopPodSandbox answers."""


class RemovePodSandboxRequest(Message, frozen=True):
    """What RemovePodSandbox is asked."""

    pod_sandbox_id: str = ""


class RemovePodSandboxResponse(Message, frozen=True):
    """What RemovePodSandbox answers."""


class PodSandboxStatusRequest(Message, frozen=True):
    """What PodSandboxStatus is asked."""

    pod_sandbox_id: str = ""
    verbose: bool = False


class PodSandboxStatusResponse(Message, frozen=True):
    """What PodSandboxStatus answers."""

    status: PodSandboxStatus | None = None
    info: dict[str, str] = field(default_factory=dict)
    containers_statuses: tuple[ContainerStatus, ...] = ()
    timestamp: int = 0


class ListPodSandboxRequest(Message, frozen=True):
    """What ListPodSandbox is asked."""

    filter: PodSandboxFilter | None = None


class ListPodSandboxResponse(Message, frozen=True):
    """What ListPodSandbox answers."""

    items: tuple[PodSandbox, ...] = ()


class StreamPodSandboxesRequest(Message, frozen=True):
    """What StreamPodSandboxes is asked."""

    filter: PodSandboxFilter | None = None


class StreamPodSandboxesResponse(Message, frozen=True):
    """What StreamPodSandboxes answers."""

    pod_sandboxes: tuple[PodSandbox, ...] = ()


class CreateContainerRequest(Message, frozen=True):
    """What CreateContainer is asked."""

    pod_sandbox_id: str = ""
    config: ContainerConfig | None = None
    sandbox_config: PodSandboxConfig | None = None


class CreateContainerResponse(Message, frozen=True):
    """What CreateContainer answers."""

    container_id: str = ""


class StartContainerRequest(Message, frozen=True):
    """What StartContainer is asked."""

    container_id: str = ""


class StartContainerResponse(Message, frozen=True):
    """What StartContainer answers."""


class StopContainerRequest(Message, frozen=True):
    """What StopContainer is asked."""

    container_id: str = ""
    timeout: int = 0


class StopContainerResponse(Message, frozen=True):
    """What StopContainer answers."""


class RemoveContainerRequest(Message, frozen=True):
    """What RemoveContainer is asked."""

    container_id: str = ""


class RemoveContainerResponse(Message, frozen=True):
    """What RemoveContainer answers."""


class ListContainersRequest(Message, frozen=True):
    """What ListContainers is asked."""

    filter: ContainerFilter | None = None


class ListContainersResponse(Message, frozen=True):
    """What ListContainers answers."""

    containers: tuple[Container, ...] = ()


class StreamContainersRequest(Message, frozen=True):
    """What StreamContainers is asked."""

    filter: ContainerFilter | None = None


class StreamContainersResponse(Message, frozen=True):
    """What StreamContainers answers."""

    containers: tuple[Container, ...] = ()


class ContainerStatusRequest(Message, frozen=True):
    """What ContainerStatus is asked."""

    container_id: str = ""
    verbose: bool = False


class ContainerStatusResponse(Message, frozen=True):
    """What ContainerStatus answers."""

    status: ContainerStatus | None = None
    info: dict[str, str] = field(default_factory=dict)


class UpdateContainerResourcesRequest(Message, frozen=True):
    """What UpdateContainerResources is asked."""

    container_id: str = ""
    linux: LinuxContainerResources | None = None
    annotations: dict[str, str] = field(default_factory=dict)


class UpdateContainerResourcesResponse(Message, frozen=True):
    """What UpdateContainerResources answers."""


class ReopenContainerLogRequest(Message, frozen=True):
    """What ReopenContainerLog is asked."""

    container_id: str = ""


class ReopenContainerLogResponse(Message, frozen=True):
    """What ReopenContainerLog answers."""


class ExecSyncRequest(Message, frozen=True):
    """What ExecSync is asked."""

    container_id: str = ""
    cmd: tuple[str, ...] = ()
    timeout: int = 0


class ExecSyncResponse(Message, frozen=True):
    """What ExecSync answers."""

    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0


class ExecRequest(Message, frozen=True):
    """What Exec is asked."""

    container_id: str = ""
    cmd: tuple[str, ...] = ()
    tty: bool = False
    stdin: bool = False
    stdout: bool = False
    stderr: bool = False


class ExecResponse(Message, frozen=True):
    """What Exec answers."""

    url: str = ""


class AttachRequest(Message, frozen=True):
    """What Attach is asked."""

    container_id: str = ""
    stdin: bool = False
    tty: bool = False
    stdout: bool = False
    stderr: bool = False


class AttachResponse(Message, frozen=True):
    """What Attach answers."""

    url: str = ""


class PortForwardRequest(Message, frozen=True):
    """What PortForward is asked."""

    pod_sandbox_id: str = ""
    port: tuple[int, ...] = ()


class PortForwardResponse(Message, frozen=True):
    """What PortForward answers."""

    url: str = ""


class UpdateRuntimeConfigRequest(Message, frozen=True):
    """What UpdateRuntimeConfig is asked."""

    runtime_config: RuntimeConfig | None = None


class UpdateRuntimeConfigResponse(Message, frozen=True):
    """What UpdateRuntimeConfig answers."""


class StatusRequest(Message, frozen=True):
    """What Status is asked."""

    verbose: bool = False


class StatusResponse(Message, frozen=True):
    """What Status answers."""

    status: RuntimeStatus | None = None
    info: dict[str, str] = field(default_factory=dict)
    runtime_handlers: tuple[RuntimeHandler, ...] = ()
    features: RuntimeFeatures | None = None


class GetEventsRequest(Message, frozen=True):
    """What GetContainerEvents is asked."""


class RuntimeConfigRequest(Message, frozen=True):
    """What RuntimeConfig is asked."""


class RuntimeConfigResponse(Message, frozen=True):
    """What RuntimeConfig answers."""

    linux: LinuxRuntimeConfiguration | None = None


class UpdatePodSandboxResourcesRequest(Message, frozen=True):
    """What UpdatePodSandboxResources is asked."""

    pod_sandbox_id: str = ""
    overhead: LinuxContainerResources | None = None
    resources: LinuxContainerResources | None = None


class UpdatePodSandboxResourcesResponse(Message, frozen=True):
    """What UpdatePodSandboxResources answers."""
