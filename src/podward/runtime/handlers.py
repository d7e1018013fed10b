"""Doing what a probe or a lifecycle hook asks: a program in the container, a request over the network, or a pause.

A program runs through the OCI runtime. A request is made by a child of ours in the Pod's network namespace, so that
nothing that answers slowly, or never, holds up the event loop. Both are children with a deadline; both tell what they
have to say through a pipe, of which at most 10 KiB are kept (kubelet, `maxReadLength` of exec probes).
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from msgspec import Struct

from podward.api.core import Container, Handler, HTTPGetAction, TCPSocketAction
from podward.errors import PodwardError
from podward.policy.kubelet import environment
from podward.policy.kubelet.probes import Result
from podward.runtime import processes, syscalls
from podward.runtime.event_loop import EventLoop, Timer
from podward.runtime.execution import Execution
from podward.runtime.oci import Streams

if TYPE_CHECKING:
    from podward.runtime.network_checks import HttpCheck, TcpCheck

MOST_OUTPUT = 10 * 1024

Done = Callable[[Result, str], None]
"""What came of a handler, and what it said."""


class Target(Struct, frozen=True):
    """The running container that a handler is about.

    `network` is the path of the network namespace from which the Pod is reached at `address`; empty for our own.
    """

    container: Container
    execution: Callable[[], Execution]
    network: str
    address: str


class Task:
    """A handler at work. `cancel` ends it without telling anybody."""

    def __init__(self, loop: EventLoop, then: Done) -> None:
        self._loop = loop
        self._then = then
        self._pid = 0
        self._output = -1
        self._said = b""
        self._timers: list[Timer] = []
        self._execution: Execution | None = None
        self._timed_out = ""
        self._over = False

    def sleep(self, seconds: float) -> None:
        """Do nothing for so long."""
        self._timers.append(self._loop.after(seconds, lambda: self._finish(Result.SUCCESS, "")))

    def fail(self, result: Result, why: str) -> None:
        """Tell, soon, that it can't be done."""
        self._timers.append(self._loop.after(0.0, lambda: self._finish(result, why)))

    def execute(self, execution: Execution, command: tuple[str, ...], timeout: float) -> None:
        """Run a program in the container."""
        self._execution = execution
        output = self._open_output()
        try:
            self._pid = execution.begin(command, Streams(-1, output, output))
        except (PodwardError, OSError) as error:
            self.fail(Result.ERROR, str(error))
            return
        finally:
            os.close(output)
        words = " ".join(command)
        self._attend(timeout, f'command timed out: "{words}" timed out after {timeout:g}s')

    def check(self, check: HttpCheck | TcpCheck, network: str) -> None:
        """Ask over the network."""
        output = self._open_output()
        self._pid = os.fork()
        if self._pid == 0:
            _check(check, network, output)
        os.close(output)
        self._attend(check.timeout + 0.5, "context deadline exceeded")

    def cancel(self) -> None:
        """End what was begun."""
        if not self._over:
            self._then = _nobody
            self._kill()
            if not self._pid:
                self._finish(Result.UNKNOWN, "")

    def _open_output(self) -> int:
        self._output, write = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._output, False)
        self._loop.watch(self._output, self._read)
        return write

    def _attend(self, timeout: float, expired: str) -> None:
        self._loop.on_exit(self._pid, self._ended)
        if timeout < float("inf"):
            self._timers.append(self._loop.after(timeout, lambda: self._expire(expired)))

    def _read(self, descriptor: int) -> None:
        """Keep the beginning of the output and drop the rest."""
        with contextlib.suppress(BlockingIOError):
            data = os.read(descriptor, 65536)
            self._said += data[: MOST_OUTPUT - len(self._said)]
            if not data:
                self._loop.forget(descriptor)

    def _expire(self, why: str) -> None:
        self._timed_out = why
        self._kill()

    def _kill(self) -> None:
        if self._pid and self._execution is not None:
            self._execution.kill(self._pid)
        elif self._pid:
            os.kill(self._pid, signal.SIGKILL)

    def _ended(self, status: int) -> None:
        self._pid = 0
        with contextlib.suppress(BlockingIOError):
            self._said += os.read(self._output, MOST_OUTPUT)[: MOST_OUTPUT - len(self._said)]
        said = self._said.decode("utf-8", "replace")
        if self._timed_out:
            self._finish(Result.FAILURE, self._timed_out)
        elif self._execution is None:
            name, _, rest = said.partition("\n")
            known = name in Result.__members__
            self._finish(Result[name] if known else Result.ERROR, rest if known else "the check ended without a word")
        elif complaint := self._execution.complaint():
            self._finish(Result.ERROR, complaint)
        else:
            code = processes.exit_code(status)
            self._finish(Result.FAILURE if code else Result.SUCCESS, said or (f"exit status {code}" if code else ""))

    def _finish(self, result: Result, said: str) -> None:
        self._over = True
        for timer in self._timers:
            self._loop.cancel(timer)
        if self._output >= 0:
            self._loop.forget(self._output)
            os.close(self._output)
        if self._execution is not None:
            self._execution.close()
        self._then(result, said.strip())


class Request(Struct, frozen=True):
    """What is to be done, within so many seconds, for a probe or for a hook (`network_checks.LIFECYCLE`)."""

    handler: Handler
    timeout: float
    purpose: str = "probe"


def start(loop: EventLoop, target: Target, request: Request, then: Done) -> Task:
    """Begin to do what is asked; `then` is called later, never from here."""
    task, handler, timeout = Task(loop, then), request.handler, request.timeout
    if handler.exec is not None:
        static = {variable.name: variable.value or "" for variable in target.container.env or ()}
        task.execute(
            target.execution(), tuple(environment.expand(word, static) for word in handler.exec.command or ()), timeout
        )
    elif handler.sleep is not None:
        task.sleep(min(handler.sleep.seconds, timeout))
    elif handler.http_get is not None:
        _ask(task, target, handler.http_get, request)
    elif handler.tcp_socket is not None:
        _ask(task, target, handler.tcp_socket, request)
    else:
        task.fail(Result.ERROR, "it has no handler that is known here")
    return task


def _ask(task: Task, target: Target, action: HTTPGetAction | TCPSocketAction, request: Request) -> None:
    """Make the request; a host that is named is reached from the node, as the kubelet reaches it."""
    from podward.runtime import network_checks  # few containers have one, and start-up counts

    asked = network_checks.Asked(target.container, target.address, request.timeout, request.purpose)
    check = network_checks.check_of(action, asked)
    if isinstance(check, str):
        task.fail(Result.ERROR, check)
    else:
        task.check(check, "" if action.host else target.network)


def _check(check: HttpCheck | TcpCheck, network: str, output: int) -> NoReturn:
    """In the forked child: ask, tell, and end."""
    code = 1
    try:
        syscalls.die_with_parent()
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        os.closerange(3, output)
        os.closerange(output + 1, os.sysconf("SC_OPEN_MAX"))
        if network:
            syscalls.setns(os.open(network, os.O_RDONLY | os.O_CLOEXEC), syscalls.CLONE_NEWNET)
        from podward.runtime import network_checks

        result, said = network_checks.run(check)
        os.write(output, f"{result.name}\n{said}".encode()[:MOST_OUTPUT])
        code = 0
    finally:
        os._exit(code)


def _nobody(result: Result, said: str) -> None:
    """Who was to be told is gone."""
    del result, said
