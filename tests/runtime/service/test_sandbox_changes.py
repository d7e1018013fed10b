"""What a kubelet says of a Pod's resources is noted."""

from __future__ import annotations

import pytest
from cri_server import sandbox_config
from served_runtime import Served

from podward.api.cri import LinuxContainerResources
from podward.api.cri_requests import UpdatePodSandboxResourcesRequest, UpdatePodSandboxResourcesResponse
from podward.runtime.service import verbs

pytestmark = pytest.mark.needs("root", "crun", "catatonit")


def test_a_sandboxs_resources_are_noted(served: Served) -> None:
    sandbox = served.run(sandbox_config())
    asked = LinuxContainerResources(cpu_shares=512, memory_limit_in_bytes=1 << 20)
    request = UpdatePodSandboxResourcesRequest(sandbox.id, LinuxContainerResources(cpu_shares=2), asked)
    answer = served.call(verbs.UPDATE_POD_SANDBOX_RESOURCES, request)
    assert answer == UpdatePodSandboxResourcesResponse()
    linux = served.record(sandbox.id).config.linux
    assert linux.resources == asked
    assert linux.overhead is not None
    assert linux.overhead.cpu_shares == 2
