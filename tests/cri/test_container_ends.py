"""What a container leaves behind is ended when it has ended, though nobody stops it."""

from __future__ import annotations

import time
from pathlib import Path

import image_layout
import pytest
from cri_server import CriServer, container_config, sandbox_config
from served_containers import CONFIG, IMAGE, fill

from podward.api import cri_requests as cri
from podward.api.cri import (
    LinuxContainerConfig,
    LinuxContainerSecurityContext,
    LinuxPodSandboxConfig,
    LinuxSandboxSecurityContext,
    NamespaceOption,
)
from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore
from podward.runtime.kept import start_time

pytestmark = pytest.mark.needs("root", "crun", "catatonit", "conmon", "busybox")


def test_processes_in_a_shared_namespace_end_with_the_first(server: CriServer, tmp_path: Path) -> None:
    layout = image_layout.write_layout(tmp_path / "layout", "small:1", CONFIG, image_layout.layer(fill))
    import_path(ImageStore(str(server.root)), layout)
    modes = NamespaceOption(network="NODE", pid="NODE")
    of_pod = LinuxPodSandboxConfig(security_context=LinuxSandboxSecurityContext(namespace_options=modes))
    request = cri.RunPodSandboxRequest(sandbox_config(log_directory=str(tmp_path / "logs"), linux=of_pod))
    sandbox = server.client.ask(request, cri.RunPodSandboxResponse).pod_sandbox_id
    linux = LinuxContainerConfig(security_context=LinuxContainerSecurityContext(namespace_options=modes))
    config = container_config(IMAGE, "sh", "-c", "sleep 600 & echo $!", log_path="a.log", linux=linux)
    created = cri.CreateContainerRequest(sandbox, config, request.config)
    container = server.client.ask(created, cri.CreateContainerResponse).container_id
    server.client.ask(cri.StartContainerRequest(container), cri.StartContainerResponse)
    deadline = time.monotonic() + 10
    while not (printed := (tmp_path / "logs" / "a.log").read_text(encoding="utf-8").split()):
        assert time.monotonic() < deadline
    while start_time(int(printed[-1])):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    status = server.client.ask(cri.ContainerStatusRequest(container), cri.ContainerStatusResponse).status
    assert status is not None
    assert (status.state, status.exit_code, status.reason) == ("CONTAINER_EXITED", 0, "Completed")
