"""Recovery: whatever a worker was killed at is undone or finished, and nothing of it stays on this machine."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import time
import zlib
from pathlib import Path

import pytest
from msgspec import structs
from served_runtime import Served, pod

from podward.api.cri import IDMapping, NamespaceOption, PodSandboxConfig, PortMapping, UserNamespace
from podward.api.cri_requests import StopPodSandboxRequest
from podward.runtime.kept import alive
from podward.runtime.service import pins, sandboxes, verbs
from podward.runtime.service.phases import SandboxPhase
from podward.runtime.service.records import SandboxRecord
from podward.runtime.service.recovery import RecoverRequest, RecoverResponse
from podward.runtime.service.runtime_service import RuntimeService, ServiceOptions

pytestmark = pytest.mark.needs("root", "crun", "catatonit")

MAP = (IDMapping(0, 1 << 20, 65536),)
ALL = NamespaceOption(userns_options=UserNamespace("POD", MAP, MAP))
KILLS = int(os.environ.get("PODWARD_SANDBOX_KILLS", "12"))


def recover(served: Served) -> RecoverResponse:
    answer = served.call(verbs.RECOVER, RecoverRequest())
    assert isinstance(answer, RecoverResponse), answer
    assert answer.left == ()
    return answer


def recover_all(served: Served) -> None:
    """Until nobody is at work any more: a worker that was not killed comes to its end."""
    deadline = time.monotonic() + 60
    while recover(served).busy:
        assert time.monotonic() < deadline


def home(served: Served) -> str:
    return f"{served.service.records.root}/sandboxes"


def processes_of(root: str) -> list[str]:
    """The processes that have a path of this directory among their words, or in its mount namespace."""
    found = []
    for entry in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            words = Path(f"/proc/{entry}/cmdline").read_bytes()
            mounts = Path(f"/proc/{entry}/mountinfo").read_bytes()
            if entry != str(os.getpid()) and (f"{root}/".encode() in words or f" {root}/".encode() in mounts):
                found.append(f"{entry}: {words!r}")
    return found


def left(served: Served) -> list[str]:
    """What there is of sandboxes on this machine, beside the records."""
    root = served.service.state.root
    names = [name for name in os.listdir(f"{served.service.records.root}/names") if name != "lock"]
    bridge = [name for name in os.listdir("/sys/class/net") if name == f"podward{zlib.crc32(root.encode()):08x}"]
    reserved = Path(f"{root}/network/addresses/podward")
    addresses = [str(file) for file in reserved.glob("*.*.*.*")]
    cgroups = [str(place) for place in Path("/sys/fs/cgroup").glob(f"*/podward-test-{os.getpid()}/**/podward-*")]
    states = [name for kind in os.listdir(f"{root}/oci") for name in os.listdir(f"{root}/oci/{kind}")]
    return [*os.listdir(home(served)), *names, *bridge, *addresses, *cgroups, *states, *processes_of(root)]


def test_what_runs_is_left_alone(served: Served) -> None:
    record = served.run(pod(modes=ALL))
    stopped = served.run(pod("other"))
    served.stop(stopped.id)
    assert recover(served).settled == ()
    assert sandboxes.is_ready(served.record(record.id))
    assert alive(record.pause)


def test_one_whose_pin_died_is_stopped(served: Served) -> None:
    record = served.run(pod(modes=ALL))
    pins.end(record.pin)
    assert recover(served).settled == (record.id,)
    assert served.record(record.id).phase is SandboxPhase.NOT_READY
    assert not alive(record.pause)
    served.remove(record.id)
    assert left(served) == []


@pytest.mark.parametrize("phase", [SandboxPhase.MAKING, SandboxPhase.REMOVING, SandboxPhase.STOPPING])
def test_what_was_begun_comes_to_its_end(served: Served, phase: SandboxPhase) -> None:
    record = served.run(pod(modes=ALL))
    served.service.records.write(structs.replace(record, phase=phase))
    assert recover(served).settled == (record.id,)
    if phase is SandboxPhase.STOPPING:
        assert served.record(record.id).phase is SandboxPhase.NOT_READY
        served.remove(record.id)
    assert left(served) == []


def test_what_somebody_is_at_work_on_is_left_to_him(served: Served) -> None:
    record = served.run(pod())
    lock = served.service.records.lock(SandboxRecord, record.id)
    assert lock is not None
    with lock:
        served.service.records.write(structs.replace(record, phase=SandboxPhase.MAKING))
        assert recover(served).busy == (record.id,)
        assert served.record(record.id).phase is SandboxPhase.MAKING
        served.service.records.write(record)


def test_what_no_record_knows_goes(served: Served) -> None:
    record = served.run(pod(modes=NamespaceOption(pid="CONTAINER")))
    os.unlink(f"{home(served)}/{record.id}/sandbox.json")
    os.mkdir(f"{home(served)}/{'a' * 64}", 0o700)
    Path(home(served), "not an id").mkdir()
    recover(served)
    assert not alive(record.pin)
    assert os.listdir(home(served)) == ["not an id"]
    assert not list(Path(served.service.state.root, "network/addresses/podward").glob("*.*.*.*"))


def test_a_name_is_free_again_once_its_maker_was_killed(served: Served) -> None:
    record = served.run(pod())
    served.service.records.write(structs.replace(record, phase=SandboxPhase.MAKING))
    assert served.run(pod()).id != record.id
    assert not alive(record.pin)


@pytest.mark.needs("cni")
def test_kills_at_any_moment_leave_nothing(tmp_path: Path) -> None:
    """Workers and their engine are killed while they make, stop and remove sandboxes; the next service takes over."""
    root, chance = str(tmp_path), random.Random(os.environ.get("PODWARD_SEED", "1"))  # noqa: S311
    modes = (ALL, NamespaceOption(network="NODE", pid="POD"), NamespaceOption(pid="CONTAINER"))
    for number in range(KILLS):
        served = Served(RuntimeService(root, ServiceOptions(cni_conf_dir=f"{root}/none")))
        try:
            crashed = os.listdir(home(served))
            recover_all(served)
            assert not any(
                record.phase is SandboxPhase.MAKING for record in served.service.records.every(SandboxRecord)
            )
            for record in served.service.records.every(SandboxRecord):
                assert record.phase is not SandboxPhase.READY or alive(record.pin), number
                served.remove(record.id)
            assert left(served) == [], number
            assert not [rule for rule in _port_rules() if any(identifier in rule for identifier in crashed)], number
            config = pod(modes=modes[number % 3], port_mappings=(PortMapping("TCP", 80, 18099),))
            linux = structs.replace(config.linux, cgroup_parent=f"/podward-test-{os.getpid()}/pod")
            _use_and_kill(served, structs.replace(config, linux=linux), chance.uniform(0, 0.4))
        finally:
            served.abandon()
    served = Served(RuntimeService(root, ServiceOptions(cni_conf_dir=f"{root}/none")))
    recover(served)
    served.close()


def _port_rules() -> list[str]:
    listed = subprocess.run(["iptables-save", "-t", "nat"], capture_output=True, text=True, check=True)
    return listed.stdout.splitlines()


def _use_and_kill(served: Served, config: PodSandboxConfig, seconds: float) -> None:
    """Have a sandbox run and stopped, and kill engine and workers after so many seconds."""
    user = os.fork()
    if user == 0:
        with contextlib.suppress(BaseException):
            record = served.run(config)
            served.call(verbs.STOP_POD_SANDBOX, StopPodSandboxRequest(record.id))
            served.remove(record.id)
        os._exit(0)
    time.sleep(seconds)
    os.kill(served.pid, signal.SIGSTOP)  # so that it forks no more workers
    children = Path(f"/proc/{served.pid}/task/{served.pid}/children").read_text(encoding="ascii").split()
    workers = [int(child) for child in children if _is_python(child)]
    for pid in (*workers, served.pid, user):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    os.waitpid(user, 0)


def _is_python(pid: str) -> bool:
    """Whether this is a worker, not what it has started."""
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/exe") == os.readlink("/proc/self/exe")
    return False
