"""Containers of a runtime service, whose verbs are done by a real engine; their image has a busybox."""

from __future__ import annotations

import os
import shutil
import tarfile
import time
from pathlib import Path

import image_layout
from served_runtime import Served

from podward.api.cri import ContainerConfig, ContainerMetadata, ImageSpec
from podward.api.cri_refusal import CriRefusal
from podward.api.cri_requests import (
    ContainerStatusRequest,
    ContainerStatusResponse,
    CreateContainerRequest,
    CreateContainerResponse,
    ExecSyncRequest,
    ExecSyncResponse,
    RemoveContainerRequest,
    StartContainerRequest,
    StopContainerRequest,
)
from podward.api.cri_status import ContainerStatus
from podward.runtime.images.importing import import_path
from podward.runtime.images.store import ImageStore
from podward.runtime.service import verbs
from podward.runtime.service.records import ContainerRecord, SandboxRecord

IMAGE = "docker.io/library/small:1"
APPLETS = (
    *("cat", "dd", "echo", "env", "grep", "head", "httpd", "kill", "ls", "mkdir", "mount", "nc", "ps", "rm", "sleep"),
    *("stty", "tar", "touch", "tty", "umount", "yes"),
)
CONFIG = '"config":{"Env":["PATH=/bin"]}'


def fill(archive: tarfile.TarFile) -> None:
    """The image's files."""
    image_layout.small_root(archive)
    for name in APPLETS:
        link = tarfile.TarInfo(f"bin/{name}")
        link.type, link.linkname = tarfile.SYMTYPE, "busybox"
        archive.addfile(link)
    for name, mode in (("tmp", 0o1777), ("data", 0o755), ("data/deep", 0o755)):
        directory = tarfile.TarInfo(name)
        directory.type, directory.mode = tarfile.DIRTYPE, mode
        archive.addfile(directory)


def prepare_image(root: Path) -> None:
    """Put the image into a state directory, for `Containers.have`."""
    layout = image_layout.write_layout(root / "layout", "small:1", CONFIG, image_layout.layer(fill))
    import_path(ImageStore(str(root)), layout)
    shutil.rmtree(layout)


def _link_program(source: str, copy: str) -> str:
    """The one large file, which nobody writes, is a link; but not the files that are locked or replaced."""
    if source.endswith("/bin/busybox"):
        os.link(source, copy)
        return copy
    return shutil.copy2(source, copy)


class Containers:
    """The verbs of containers in one sandbox."""

    def __init__(self, served: Served, sandbox: SandboxRecord) -> None:
        self.served = served
        self.sandbox = sandbox

    def have(self, prepared: Path) -> None:
        """Have the image, as `prepare_image` made it."""
        images = self.served.service.images.directory
        shutil.copytree(prepared / "images", images, True, copy_function=_link_program, dirs_exist_ok=True)

    def bring(self, directory: Path, name: str, config: str = CONFIG) -> str:
        """Have another image of these files; returns its id."""
        layout = image_layout.write_layout(directory, name, config, image_layout.layer(fill))
        return import_path(self.served.service.images, layout)[0].id

    def asked(self, *command: str, name: str = "a", **rest: object) -> ContainerConfig:
        """The message about a container."""
        return ContainerConfig(ContainerMetadata(name), ImageSpec(IMAGE), command, **rest)  # type: ignore[arg-type]

    def try_create(self, config: ContainerConfig) -> CreateContainerResponse | CriRefusal:
        """Create a container, or not."""
        request = CreateContainerRequest(self.sandbox.id, config, self.sandbox.config)
        return self.served.call(verbs.CREATE_CONTAINER, request)

    def create(self, config: ContainerConfig) -> str:
        """The id of a container that is created."""
        answer = self.try_create(config)
        assert isinstance(answer, CreateContainerResponse), answer
        return answer.container_id

    def start(self, identifier: str) -> CriRefusal | None:
        """Start a container; why it does not, if so."""
        answer = self.served.call(verbs.START_CONTAINER, StartContainerRequest(identifier))
        return answer if isinstance(answer, CriRefusal) else None

    def run(self, *command: str, **rest: object) -> str:
        """The id of a container that was started."""
        identifier = self.create(self.asked(*command, **rest))  # type: ignore[arg-type]
        assert self.start(identifier) is None
        return identifier

    def stop(self, identifier: str, timeout: int = 0) -> None:
        """Stop a container."""
        answer = self.served.call(verbs.STOP_CONTAINER, StopContainerRequest(identifier, timeout))
        assert not isinstance(answer, CriRefusal), answer

    def remove(self, identifier: str) -> None:
        """Remove a container."""
        answer = self.served.call(verbs.REMOVE_CONTAINER, RemoveContainerRequest(identifier))
        assert not isinstance(answer, CriRefusal), answer

    def status(self, identifier: str) -> ContainerStatus:
        """How a container is."""
        answer = self.served.call(verbs.CONTAINER_STATUS, ContainerStatusRequest(identifier))
        assert isinstance(answer, ContainerStatusResponse), answer
        assert answer.status is not None
        return answer.status

    def ended(self, identifier: str, seconds: float = 10.0) -> ContainerStatus:
        """How a container has ended, which it does soon."""
        deadline = time.monotonic() + seconds
        while (status := self.status(identifier)).state != "CONTAINER_EXITED":
            assert time.monotonic() < deadline, status
            time.sleep(0.01)
        return status

    def printed(self, identifier: str, wanted: str, seconds: float = 10.0) -> None:
        """Wait until its log has this."""
        log, deadline = Path(self.record(identifier).log_path), time.monotonic() + seconds
        while wanted not in log.read_text(encoding="utf-8"):
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def try_execute(self, identifier: str, *command: str, timeout: int = 10) -> ExecSyncResponse | CriRefusal:
        """Run a program in it, or not."""
        return self.served.call(verbs.EXEC_SYNC, ExecSyncRequest(identifier, command, timeout))

    def execute(self, identifier: str, *command: str) -> str:
        """What a program in it prints."""
        answer = self.try_execute(identifier, *command)
        assert isinstance(answer, ExecSyncResponse), answer
        assert answer.exit_code == 0, answer
        return answer.stdout.decode()

    def record(self, identifier: str) -> ContainerRecord:
        """What is known of it."""
        found = self.served.service.records.read(ContainerRecord, identifier)
        assert found is not None
        return found
