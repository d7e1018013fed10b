"""The requests and responses of NRI's two services, and the envelopes of ttrpc around them.

How fields are numbered is said in `podward.api.nri`. A plugin serves `Plugin` to the runtime, the runtime serves
`Runtime` to the plugin.
"""

from __future__ import annotations

from typing import ClassVar

from podward.api.nri import (
    Container,
    ContainerAdjustment,
    ContainerEviction,
    ContainerUpdate,
    Int32,
    Int64,
    Message,
    OwningPlugins,
    PodSandbox,
    Resources,
)

PLUGIN = "nri.pkg.api.v1alpha1.Plugin"
RUNTIME = "nri.pkg.api.v1alpha1.Runtime"


class Empty(Message, frozen=True):
    """Every response that says nothing."""


class RegisterPluginRequest(Message, frozen=True):
    """A plugin's first words."""

    plugin_name: str = ""
    plugin_idx: str = ""
    nri_version: str = ""


class UpdateContainersRequest(Message, frozen=True):
    """A plugin's own idea."""

    update: tuple[ContainerUpdate, ...] = ()
    evict: tuple[ContainerEviction, ...] = ()


class UpdateContainersResponse(Message, frozen=True):
    """The updates that could not be made."""

    failed: tuple[ContainerUpdate, ...] = ()


class ConfigureRequest(Message, frozen=True):
    """The runtime's first words; timeouts are milliseconds."""

    config: str = ""
    runtime_name: str = ""
    runtime_version: str = ""
    registration_timeout: Int64 = 0
    request_timeout: Int64 = 0
    nri_version: str = ""


class ConfigureResponse(Message, frozen=True):
    """The events that the plugin is told of; 0 means all."""

    FIRST: ClassVar[int] = 2

    events: Int32 = 0


class SynchronizeRequest(Message, frozen=True):
    """What there is; `more` where another request follows with the rest."""

    pods: tuple[PodSandbox, ...] = ()
    containers: tuple[Container, ...] = ()
    more: bool = False


class SynchronizeResponse(Message, frozen=True):
    """What the plugin changes in what there is."""

    update: tuple[ContainerUpdate, ...] = ()
    more: bool = False


class PodRequest(Message, frozen=True):
    """RunPodSandboxRequest and its like; the responses are empty."""

    pod: PodSandbox | None = None


class UpdatePodSandboxRequest(Message, frozen=True):
    """A sandbox gets other resources."""

    pod: PodSandbox | None = None
    overhead_linux_resources: Resources | None = None
    linux_resources: Resources | None = None


class ContainerRequest(Message, frozen=True):
    """CreateContainerRequest and its like."""

    pod: PodSandbox | None = None
    container: Container | None = None


class UpdateContainerRequest(Message, frozen=True):
    """A container gets other resources."""

    pod: PodSandbox | None = None
    container: Container | None = None
    linux_resources: Resources | None = None


class CreateContainerResponse(Message, frozen=True):
    """What a plugin changes in the new container, and in others."""

    adjust: ContainerAdjustment | None = None
    update: tuple[ContainerUpdate, ...] = ()
    evict: tuple[ContainerEviction, ...] = ()


class UpdateContainerResponse(Message, frozen=True):
    """What a plugin changes in the update, and in other containers; StopContainerResponse has no `evict`."""

    update: tuple[ContainerUpdate, ...] = ()
    evict: tuple[ContainerEviction, ...] = ()


class StateChangeEvent(Message, frozen=True):
    """How plugins before NRI 0.10 are told of what only happens."""

    event: Int32 = 0
    pod: PodSandbox | None = None
    container: Container | None = None


class PluginInstance(Message, frozen=True):
    """A plugin that was asked."""

    name: str = ""
    index: str = ""


class ValidateRequest(Message, frozen=True):
    """ValidateContainerAdjustmentRequest: all that plugins changed, before it is done."""

    pod: PodSandbox | None = None
    container: Container | None = None
    adjust: ContainerAdjustment | None = None
    update: tuple[ContainerUpdate, ...] = ()
    owners: OwningPlugins | None = None
    plugins: tuple[PluginInstance, ...] = ()


class ValidateResponse(Message, frozen=True):
    """ValidateContainerAdjustmentResponse."""

    reject: bool = False
    reason: str = ""


# --- ttrpc's own ------------------------------------------------------------------------------------------------------


class Status(Message, frozen=True):
    """google.rpc.Status."""

    code: Int32 = 0
    message: str = ""
    details: tuple[bytes, ...] = ()


class Request(Message, frozen=True):
    """ttrpc.Request."""

    service: str = ""
    method: str = ""
    payload: bytes = b""
    timeout_nano: Int64 = 0
    metadata: tuple[bytes, ...] = ()


class Response(Message, frozen=True):
    """ttrpc.Response."""

    status: Status | None = None
    payload: bytes = b""
