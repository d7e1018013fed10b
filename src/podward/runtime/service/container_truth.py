"""How a container is now, whatever its record says: its process may have ended since.

Specification (CRI `ContainerStatus`; containerd 2.2 and CRI-O 1.33, in our words). A container has ended when its
monitor has written its exit code; the file's time is when. It was killed for want of memory where the monitor noticed,
or where the kernel counts a kill in its cgroup and it died of SIGKILL: under cgroup v1 the monitor may see the end
first. A container whose process and monitor are both gone without an exit code has ended with 255, for an unknown
reason. One that a worker was about to start runs once the OCI runtime has taken its barrier (`exec.fifo`) away.
"""

from __future__ import annotations

import os
import signal

from msgspec import structs

from podward.runtime.kept import alive
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord, SandboxRecord, now
from podward.runtime.service.runtime_service import RuntimeService

UNKNOWN_CODE, UNKNOWN = 255, "Unknown"
OOM_KILLED = "OOMKilled"
LIVING = (ContainerPhase.CREATED, ContainerPhase.STARTING, ContainerPhase.RUNNING)
"""The phases in which a container has a process."""
_KILLED = 128 + signal.SIGKILL
_OOM_COUNTERS = (("memory", "memory.oom_control"), ("", "memory.events"), ("unified", "memory.events"))
"""Below /sys/fs/cgroup: the hierarchy's directory, and its file with a line `oom_kill N`."""


def observe(service: RuntimeService, record: ContainerRecord) -> ContainerRecord:
    """The record as it would be written now."""
    if record.phase not in LIVING or not record.process.pid:
        return record
    ended = _ended(service, record)
    if ended is None and (alive(record.monitor) or alive(record.process)):
        return _begun(service, record)
    ended = ended or _ended(service, record)  # it may have been written just before the monitor went
    if ended is None:
        return _exited(record, UNKNOWN_CODE, now(), UNKNOWN)
    code, when = ended
    return _exited(record, code, when, OOM_KILLED if _killed_for_memory(service, record, code) else "")


def _exited(record: ContainerRecord, code: int, when: int, reason: str) -> ContainerRecord:
    return structs.replace(record, phase=ContainerPhase.EXITED, exit_code=code, finished_at=when, reason=reason)


def _ended(service: RuntimeService, record: ContainerRecord) -> tuple[int, int] | None:
    """The exit code and when it was written; None where the monitor has not written any."""
    try:
        descriptor = os.open(f"{service.records.exits}/{record.id}", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    with open(descriptor, "rb", buffering=0) as file:
        content = file.read(64)
        written = os.fstat(descriptor).st_mtime_ns
    code = int(content) if content.strip().lstrip(b"-").isdigit() else UNKNOWN_CODE
    return (code if code >= 0 else UNKNOWN_CODE), written


def _begun(service: RuntimeService, record: ContainerRecord) -> ContainerRecord:
    """A container that lives: one that was being started runs where nothing holds it back any more."""
    if record.phase is not ContainerPhase.STARTING:
        return record
    sandbox = service.records.read(SandboxRecord, record.sandbox)
    if sandbox is None or service.oci(sandbox.engine).holds_back(record.id):
        return record
    return record.became(ContainerPhase.RUNNING)


def _killed_for_memory(service: RuntimeService, record: ContainerRecord, code: int) -> bool:
    if os.path.exists(f"{service.records.directory(ContainerRecord, record.id)}/oom"):
        return True
    counters = (f"/sys/fs/cgroup/{at}{record.cgroup}/{file}" for at, file in _OOM_COUNTERS)
    return code == _KILLED and any(map(_counts_a_kill, counters))


def _counts_a_kill(file: str) -> bool:
    try:
        with open(file, "rb") as opened:
            return any(line.startswith(b"oom_kill ") and line.split()[1] != b"0" for line in opened)
    except OSError:
        return False
