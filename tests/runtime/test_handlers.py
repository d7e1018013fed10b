"""What a probe or a hook asks is done by a child, told once, and ended in time."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator

import pytest

from podward.api.core import Container, ContainerPort, Handler, HTTPGetAction, SleepAction, TCPSocketAction
from podward.policy.kubelet.probes import Result
from podward.runtime import handlers
from podward.runtime.event_loop import EventLoop
from podward.runtime.execution import Execution
from podward.runtime.handlers import Request, Target
from podward.runtime.oci import Engine, OciRuntime


@pytest.fixture
def loop() -> Iterator[EventLoop]:
    """A loop that hears of children that end."""
    made = EventLoop()
    read, write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(write)
    handler = signal.signal(signal.SIGCHLD, lambda *_: None)

    def heard(wake: int) -> None:
        os.read(wake, 512)
        made.reap(lambda *_: None)

    made.watch(read, heard)
    yield made
    signal.signal(signal.SIGCHLD, handler)
    signal.set_wakeup_fd(before)
    os.close(read)
    os.close(write)


def target(tmp_path: object, *ports: ContainerPort) -> Target:
    def execution() -> Execution:
        return Execution(OciRuntime(Engine("crun", "/nowhere", ()), f"{tmp_path}/oci"), "c", str(tmp_path))

    return Target(Container(ports=ports), execution, "", "127.0.0.1")


def outcome(loop: EventLoop, about: Target, handler: Handler, timeout: float = 20.0) -> tuple[Result, str]:
    told: list[tuple[Result, str]] = []
    handlers.start(loop, about, Request(handler, timeout), lambda result, said: told.append((result, said)))
    while not told:
        loop.turn()
    return told[0]


def test_a_port_may_have_a_name(loop: EventLoop, tmp_path: object) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        about = target(tmp_path, ContainerPort(container_port=listener.getsockname()[1], name="web"))
        assert outcome(loop, about, Handler(tcp_socket=TCPSocketAction(port="web"))) == (Result.SUCCESS, "")
    result, said = outcome(loop, about, Handler(http_get=HTTPGetAction(port="other")))
    assert result is Result.ERROR
    assert said == 'strconv.Atoi: parsing "other": invalid syntax'


def test_a_server_that_never_answers_is_not_waited_for(loop: EventLoop, tmp_path: object) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        get = HTTPGetAction(port=listener.getsockname()[1])
        result, said = outcome(loop, target(tmp_path), Handler(http_get=get), timeout=0.3)
    assert result is Result.FAILURE
    assert "context deadline exceeded" in said


def test_a_request_may_have_no_deadline(loop: EventLoop, tmp_path: object) -> None:
    """As those of postStart hooks."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        connect = Handler(tcp_socket=TCPSocketAction(port=port))
        assert outcome(loop, target(tmp_path), connect, float("inf")) == (Result.SUCCESS, "")
        listener.accept()[0].close()
        told: list[Result] = []
        get = Request(Handler(http_get=HTTPGetAction(port=port)), float("inf"))
        handlers.start(loop, target(tmp_path), get, lambda result, _: told.append(result))
        with listener.accept()[0] as connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while not told:
            loop.turn()
    assert told == [Result.SUCCESS]


def test_a_pause_is_a_success(loop: EventLoop, tmp_path: object) -> None:
    assert outcome(loop, target(tmp_path), Handler(sleep=SleepAction(0))) == (Result.SUCCESS, "")


def test_what_is_cancelled_tells_nobody(loop: EventLoop, tmp_path: object) -> None:
    told: list[Result] = []
    task = handlers.start(
        loop,
        target(tmp_path),
        Request(Handler(sleep=SleepAction(0)), 1.0),
        lambda result, _: told.append(result),
    )
    task.cancel()
    loop.turn(due=0.0)
    assert told == []
