"""What the runtime says of itself: Version, Status, RuntimeConfig.

Specification (CRI api.proto; containerd's and CRI-O's answers, in our words): the version of the kubelet's runtime API
is 0.1.0, as ever; the runtime is ready while it answers; the network is ready where a Pod can be given one, and what is
wrong otherwise is told. A handler's features are what its program and this kernel can do.
"""

from __future__ import annotations

import tempfile

import msgspec

from podward import __version__
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    RuntimeConfigRequest,
    RuntimeConfigResponse,
    StatusRequest,
    StatusResponse,
    VersionRequest,
    VersionResponse,
)
from podward.api.cri_status import (
    LinuxRuntimeConfiguration,
    RuntimeCondition,
    RuntimeFeatures,
    RuntimeHandler,
    RuntimeHandlerFeatures,
    RuntimeStatus,
)
from podward.errors import PodwardError
from podward.runtime import machine, probe
from podward.runtime.health import trials
from podward.runtime.network import configuration, plugins
from podward.runtime.probe import RuntimeChoice
from podward.runtime.service.runtime_service import HANDLERS, RuntimeService
from podward.runtime.volumes import remove_tree

NAME = "podward"
_KUBELET_API = "0.1.0"
_CRI_API = "v1"
_DEFAULT = ""
"""The name of the handler that Pods without a RuntimeClass have."""


class RuntimeInfo:
    """Answers from what was found when the service started, and from the network's configuration as it is now."""

    def __init__(self, service: RuntimeService, *, user_namespaces: bool) -> None:
        self._service = service
        self._user_namespaces = user_namespaces
        self._handlers = tuple(self._found_handlers())

    async def version(self, request: VersionRequest) -> VersionResponse:
        """Version."""
        del request
        return VersionResponse(_KUBELET_API, NAME, __version__, _CRI_API)

    async def status(self, request: StatusRequest) -> StatusResponse:
        """Status."""
        fault = network_fault(self._service)
        ready = RuntimeCondition("RuntimeReady", status=True)
        network = RuntimeCondition(
            "NetworkReady",
            not fault,
            "NetworkPluginNotReady" if fault else "",
            f"Network plugin: {fault}" if fault else "",
        )
        return StatusResponse(
            RuntimeStatus((ready, network)),
            self._more() if request.verbose else {},
            self._handlers,
            RuntimeFeatures(supplemental_groups_policy=True),
        )

    async def runtime_config(self, request: RuntimeConfigRequest) -> RuntimeConfigResponse:
        """RuntimeConfig."""
        del request
        return RuntimeConfigResponse(LinuxRuntimeConfiguration("CGROUPFS"))

    def _found_handlers(self) -> list[RuntimeHandler]:
        found = []
        for name in (_DEFAULT, *HANDLERS):
            choice = self._service.choice(name)
            if not isinstance(choice, CriRefusal):
                found.append(RuntimeHandler(name, self._features(choice)))
        return found

    def _features(self, choice: RuntimeChoice) -> RuntimeHandlerFeatures:
        return RuntimeHandlerFeatures(
            recursive_read_only_mounts=self._service.recursive_read_only(choice),
            user_namespaces=self._user_namespaces and choice.kind != probe.SANDBOXED,
        )

    def _more(self) -> dict[str, str]:
        """What people ask for with `crictl info`."""
        service = self._service
        choices = {name or "default": service.choice(name) for name in (_DEFAULT, *HANDLERS)}
        runtimes = {
            name: choice.message if isinstance(choice, CriRefusal) else f"{choice.path} {choice.version}"
            for name, choice in choices.items()
        }
        config = {
            "root": service.state.root,
            "cgroup": service.cgroup_layout,
            "runtimeDefaults": service.options.runtime_defaults,
            "cniConfDir": service.options.cni_conf_dir,
            "runtimes": runtimes,
        }
        return {"config": msgspec.json.encode(config).decode()}


def network_fault(service: RuntimeService) -> str:
    """Why no Pod can be given a network of its own; empty where it can, or where none is wanted."""
    directory = service.options.cni_conf_dir
    if not directory:
        return ""
    places = configuration.plugins()
    try:
        plugins.require(configuration.choose(service.state, directory).plugins, places)
    except (PodwardError, OSError) as error:
        return str(error)
    return ""


def user_namespaces_work(root: str) -> bool:
    """Whether this kernel makes an overlay over an id-mapped directory: tried in a child process, below `root`."""
    directory = tempfile.mkdtemp(prefix="cri-trial-", dir=root)
    try:
        return machine.user_namespaces() > 0 and not trials.attempt(trials.overlay(directory, mapped=True))
    finally:
        remove_tree(directory)
