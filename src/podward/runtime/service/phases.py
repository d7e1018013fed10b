"""How far a sandbox and a container are: states, and what may follow which.

A phase is written before what it names is done: MAKING before anything is there, STARTING before the process may
execute, REMOVING before the first thing goes. So whoever finds a record after a crash knows what may be there in part.
CRI's own states (ready or not; created, running, exited, unknown) are what clients are told of them.
"""

from __future__ import annotations

from enum import Enum


class SandboxPhase(Enum):
    """A sandbox's way. NOT_READY: its processes are ended and its network is gone; its record and files stay."""

    MAKING = "making"
    READY = "ready"
    STOPPING = "stopping"
    NOT_READY = "notReady"
    REMOVING = "removing"


class ContainerPhase(Enum):
    """A container's way. EXITED is the end of its process, however it came; there is no way back from it."""

    MAKING = "making"
    CREATED = "created"
    STARTING = "starting"
    RUNNING = "running"
    EXITED = "exited"
    REMOVING = "removing"


SANDBOX_FOLLOWS: dict[SandboxPhase, tuple[SandboxPhase, ...]] = {
    SandboxPhase.MAKING: (SandboxPhase.READY, SandboxPhase.REMOVING),
    SandboxPhase.READY: (SandboxPhase.STOPPING, SandboxPhase.NOT_READY),
    SandboxPhase.STOPPING: (SandboxPhase.NOT_READY,),
    SandboxPhase.NOT_READY: (SandboxPhase.REMOVING,),
    SandboxPhase.REMOVING: (),
}

CONTAINER_FOLLOWS: dict[ContainerPhase, tuple[ContainerPhase, ...]] = {
    ContainerPhase.MAKING: (ContainerPhase.CREATED, ContainerPhase.REMOVING),
    ContainerPhase.CREATED: (ContainerPhase.STARTING, ContainerPhase.EXITED),
    ContainerPhase.STARTING: (ContainerPhase.RUNNING, ContainerPhase.EXITED),
    ContainerPhase.RUNNING: (ContainerPhase.EXITED,),
    ContainerPhase.EXITED: (ContainerPhase.REMOVING,),
    ContainerPhase.REMOVING: (),
}
