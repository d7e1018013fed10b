"""Where a container is: its directory in its sandbox's mount namespace.

What is mounted for a container is seen in the mount namespace of its sandbox's pin alone. So whatever needs the
container's root, or the OCI runtime, is done there; whatever removes directories is done in the host's, where none of
it can be reached.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from podward.errors import NodeError
from podward.runtime import mount_namespace
from podward.runtime.kept import alive
from podward.runtime.service import pins
from podward.runtime.service.records import ContainerRecord, SandboxRecord
from podward.runtime.service.runtime_service import RuntimeService

MOUNTS = "mounts"
"""The directory of the bundle that has the copies of what is mounted from elsewhere."""


@contextmanager
def inside_if_there(sandbox: SandboxRecord | None) -> Iterator[bool]:
    """Be in the mount namespace of the sandbox's pin, and come back; False where that is gone with all its mounts."""
    with ExitStack() as entered:
        there = sandbox is not None and alive(sandbox.pin)
        if sandbox is not None and there:
            try:
                entered.enter_context(pins.inside(sandbox.pin))
            except NodeError:  # it went just now
                there = False
        yield there


def bundle_of(service: RuntimeService, sandbox: SandboxRecord, container: str) -> str:
    """The path of the container's directory in the pin's mount namespace."""
    if sandbox.mapping is not None:
        return f"{mount_namespace.passage()}/{container}"
    return service.records.directory(ContainerRecord, container)


def expose(service: RuntimeService, sandbox: SandboxRecord, container: str) -> None:
    """In the pin's mount namespace: have the container's directory at the path that `bundle_of` tells."""
    if sandbox.mapping is not None:
        mount_namespace.expose(service.records.directory(ContainerRecord, container))
