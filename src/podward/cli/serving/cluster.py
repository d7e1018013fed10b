"""A cluster's life: its server, then controllers and nodes at once, `ready`; at the end nodes, controllers, server.

    DATA/                     0700; also the state directory of the first node: its images, its Pods
      cluster/                what the API server keeps, and its authority
        parts/NAME.kubeconfig who each part is to the server
        nodes/NAME/           the state directory of each further node
        volumes/              volumes of the default StorageClass

A part that cannot be started at all ends the cluster; one that dies later is started again.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from msgspec import Struct

from podward.cli import terminal
from podward.cli.serving import aside
from podward.cli.serving.child import Child
from podward.runtime.event_loop import EventLoop

_SERVER, _CONTROLLERS = "apiserver", "controller-manager"
_LIFE_USED = 20 * 86400.0
"""After so many seconds of a year certificates are made anew; poll(2) waits no longer than 24 days."""
_PATIENCE = 20.0
"""Seconds in which a part must have ended before it is killed."""


class NodePlan(Struct, frozen=True):
    """A node: its name, its state directory, and what it is started with beside these."""

    name: str
    root: str
    words: tuple[str, ...]


class Plan(Struct, frozen=True):
    """What is to be served. `service_range`: that of Services' addresses, "" for the server's own.

    `leave`: Pods go on when the cluster ends. `is_remote`: another runtime has them.
    """

    directory: str
    kubeconfig: str
    server: tuple[str, ...]
    controllers: tuple[str, ...]
    nodes: tuple[NodePlan, ...]
    service_range: str = ""
    openshift: bool = False
    leave: bool = False
    is_remote: bool = False

    @property
    def parts(self) -> str:
        """Where the parts' kubeconfigs are."""
        return os.path.join(self.directory, "parts")


class Cluster:
    """Runs a plan until a signal."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._loop = EventLoop()
        self._code = 0
        self._address = ""
        self._asides: set[int] = set()
        self._signals = 0
        self._is_waiting = self._done = False
        self._began = time.monotonic()
        self._server = self._child(_SERVER, plan.server, "podward apiserver: ready at ")
        self._controllers = self._child(_CONTROLLERS, plan.controllers, "podward controller-manager: at work")
        self._nodes = [self._child(f"node {each.name}", each.words, "podward node: ") for each in plan.nodes]

    def run(self) -> int:
        """Serve; returns the exit code."""
        for directory in (os.path.dirname(self._plan.directory), self._plan.directory, self._plan.parts):
            os.makedirs(directory, mode=0o700, exist_ok=True)
        readable, written = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda _number, _frame: None)
        signal.set_wakeup_fd(written, warn_on_full_buffer=False)
        self._loop.watch(readable, self._woken, select.POLLIN)
        self._server.on_ready = self._server_is_ready
        self._server.start()
        while not self._done:
            self._loop.turn()
        return self._code

    def _child(self, name: str, words: Sequence[str], ready: str) -> Child:
        child = Child(self._loop, name, words, ready)
        child.on_end = partial(self._cannot_start, child)
        return child

    def _woken(self, descriptor: int) -> None:
        numbers = os.read(descriptor, 4096)
        if signal.SIGCHLD in numbers:
            self._loop.reap(lambda _pid, _status: None)
        for number in numbers:
            if number != signal.SIGCHLD:
                self._signals += 1
                if self._signals == 1:
                    self._end()
                else:
                    self._hurry()

    # --- beginning ---------------------------------------------------------------------------------------------------

    def _server_is_ready(self, line: str) -> None:
        first, self._address = not self._address, line.partition("ready at ")[2].strip()
        if first:
            port = self._address.rpartition(":")[2]
            self._server.arguments = (*self._plan.server, f"--secure-port={port}")  # where all others look for it
            self._identify(self._start_others)

    def _identify(self, then: Callable[[], None]) -> None:
        """Make the parts' identities and the first objects, aside."""
        plan = self._plan

        def work() -> None:
            from podward.cli.serving import first_objects, identities

            names = [node.name for node in plan.nodes]
            identities.write(plan.parts, plan.directory, self._address, names)
            own = identities.file_of(plan.parts, identities.SERVE)
            first_objects.make(own, plan.service_range, openshift=plan.openshift)

        self._aside(work, then)

    def _start_others(self) -> None:
        self._loop.after(_LIFE_USED, self._renew)
        self._controllers.start()
        for node in self._nodes:
            node.on_ready = lambda _line: self._wait()
            node.start()
        self._wait()

    def _wait(self) -> None:
        """Once the nodes have said what they are: wait until the server says so of all, aside."""
        if self._is_waiting or not all(node.was_ready for node in self._nodes):
            return
        self._is_waiting, plan = True, self._plan

        def wait() -> None:
            from podward.cli.serving import identities, readiness

            readiness.wait(identities.file_of(plan.parts, identities.SERVE), [node.name for node in plan.nodes])

        self._aside(wait, self._say_ready)

    def _say_ready(self) -> None:
        seconds = time.monotonic() - self._began
        count = len(self._nodes)
        what = "1 node" if count == 1 else f"{count} nodes"
        with contextlib.suppress(BrokenPipeError):
            print(f"podward serve: ready at {self._address} ({what}, {seconds:.1f} s)")
            print(f"use it: kubectl --kubeconfig {terminal.printable(self._plan.kubeconfig)} get pods -A", flush=True)

    def _renew(self) -> None:
        """New certificates for all parts, and the parts started again with them."""

        def restart() -> None:
            for child in (self._controllers, *self._nodes):
                child.restart()

        if not self._signals:
            self._identify(restart)
            self._loop.after(_LIFE_USED, self._renew)

    def _aside(self, work: Callable[[], None], then: Callable[[], None]) -> None:
        def ended(code: int) -> None:
            self._asides.discard(pid)
            if self._signals:
                return
            if code:
                self._code = code
                self._signals += 1
                self._end()
            else:
                then()

        pid = aside.begin(self._loop, work, ended)
        self._asides.add(pid)

    def _cannot_start(self, child: Child, code: int) -> None:
        """A part has ended that never worked."""
        if self._signals:
            return
        terminal.say(f"{child.name} cannot be started: it has ended with code {code}")
        self._code = code if code > 0 else 1
        self._signals += 1
        self._end()

    # --- ending ------------------------------------------------------------------------------------------------------

    def _end(self) -> None:
        """Nodes first, with their Pods; then the controllers; the server last."""
        for child in (self._controllers, self._server):
            child.leave_ended()
        for pid in self._asides:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._end_all(self._nodes, self._end_pods)

    def _end_pods(self) -> None:
        plan = self._plan
        if plan.leave or plan.is_remote or not any(child.was_ready for child in self._nodes):
            self._end_controllers()
            return

        def work() -> None:
            from podward.node import leaving

            for node in plan.nodes:
                leaving.end_pods(node.root)

        aside.begin(self._loop, work, lambda _code: self._end_controllers())

    def _end_controllers(self) -> None:
        self._end_all([self._controllers], partial(self._end_all, [self._server], self._finish))

    def _finish(self) -> None:
        self._done = True

    def _end_all(self, children: Sequence[Child], then: Callable[[], None]) -> None:
        """End them at once; go on when all have ended."""
        left = set(children)
        if not left:
            then()
            return

        def ended(child: Child, _code: int) -> None:
            left.discard(child)
            if not left:
                self._loop.cancel(timer)
                then()

        timer = self._loop.after(_PATIENCE, partial(_kill, left))
        for child in children:
            child.on_end = partial(ended, child)
        for child in children:
            child.end()

    def _hurry(self) -> None:
        """Asked twice: nobody is waited for."""
        for child in (*self._nodes, self._controllers, self._server):
            child.kill()


def _kill(children: Iterable[Child]) -> None:
    for child in children:
        child.kill()
