"""The service as processes: it starts, says so, ends when it is told to, and leaves nothing but what runs."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest
from cri_server import Client, CriServer, RefusedError, is_alive
from msgspec import structs

from podward.api import cri_requests as cri
from podward.runtime.kept import alive
from podward.runtime.service.phases import SandboxPhase
from podward.runtime.service.records import Records, SandboxRecord

pytestmark = pytest.mark.needs("root", "crun")
Make = Callable[..., CriServer]


def test_it_answers_and_ends_when_it_is_told_to(own_server: Make) -> None:
    server = own_server()
    answer = server.client.ask(cri.VersionRequest(), cri.VersionResponse)
    engine = server.engine
    code, errors = server.stop()
    assert (answer.runtime_name, answer.runtime_api_version) == ("podward", "v1")
    assert (code, errors) == (0, "")
    assert not os.path.lexists(server.socket)
    assert not is_alive(engine)


def test_the_socket_is_its_owners_alone(own_server: Make) -> None:
    server = own_server()
    facts = os.stat(server.socket)
    assert (stat.S_IMODE(facts.st_mode), facts.st_uid) == (0o600, os.geteuid())
    assert stat.S_IMODE(os.stat(os.path.dirname(server.socket)).st_mode) == 0o700


def test_a_server_that_was_killed_is_replaced(own_server: Make) -> None:
    server = own_server()
    server.kill()
    assert os.path.lexists(server.socket)
    server.restart()
    assert server.client.ask(cri.VersionRequest(), cri.VersionResponse).runtime_name == "podward"


def test_the_engine_ends_with_a_server_that_was_killed(own_server: Make) -> None:
    server = own_server()
    engine = os.pidfd_open(server.engine)
    server.kill()
    with open(engine, closefd=True):
        # Its parent is gone: the descriptor becomes readable when it has ended.
        assert select.select([engine], [], [], 20)[0] == [engine]


def test_a_second_server_is_refused_and_the_first_goes_on(own_server: Make) -> None:
    server = own_server()
    for listen in (server.socket, f"{server.socket}2"):
        second = subprocess.run(
            [sys.executable, "-m", "podward", "cri", "--listen", listen, "--data-dir", str(server.root)],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        assert second.returncode == 1
        assert "already" in second.stderr or "another CRI service" in second.stderr
    assert server.client.ask(cri.VersionRequest(), cri.VersionResponse).runtime_name == "podward"


def test_without_its_engine_it_ends_with_an_error(own_server: Make) -> None:
    server = own_server()
    os.kill(server.engine, signal.SIGKILL)
    server.process.communicate(timeout=60)
    assert server.process.returncode == 1
    assert "the process that does the work has ended" in server.errors()
    assert not os.path.lexists(server.socket)


def test_clients_that_only_connect_do_not_hold_it_up(own_server: Make) -> None:
    server = own_server()
    held = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(20)]
    for each in held:
        each.connect(server.socket)
    assert server.client.ask(cri.VersionRequest(), cri.VersionResponse).runtime_name == "podward"
    assert server.stop()[0] == 0
    for each in held:
        each.close()


def test_what_listens_to_events_does_not_hold_up_its_end(own_server: Make) -> None:
    server = own_server()
    listener = Client(server.socket)
    events = listener.stream("GetContainerEvents", cri.GetEventsRequest(), cri.VersionResponse)
    heard: list[object] = []

    def listen() -> None:
        with contextlib.suppress(RefusedError):  # where the server ended before it began to listen
            heard.extend(events)

    thread = threading.Thread(target=listen)
    thread.start()
    assert server.client.ask(cri.VersionRequest(), cri.VersionResponse).runtime_name == "podward"
    assert server.stop()[0] == 0
    thread.join(20)
    assert not thread.is_alive()
    listener.close()


def test_the_process_that_serves_is_the_only_one_with_grpc(own_server: Make) -> None:
    server = own_server()

    def has_grpc(pid: int) -> bool:
        with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as maps:
            return "cygrpc" in maps.read()

    assert has_grpc(server.process.pid)
    assert not has_grpc(server.engine)


@pytest.mark.needs("catatonit")
def test_what_a_worker_of_an_earlier_server_is_at_work_on_is_looked_at_again(own_server: Make) -> None:
    server = own_server()
    records = Records(str(server.root))
    record = records.read(SandboxRecord, server.client.run_sandbox())
    assert record is not None
    server.kill()
    lock = records.lock(SandboxRecord, record.id)
    assert lock is not None
    with lock:
        records.write(structs.replace(record, phase=SandboxPhase.MAKING))
        server.restart()
        assert alive(record.pin)
    deadline = time.monotonic() + 60
    while records.has(SandboxRecord, record.id):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert not alive(record.pin)
