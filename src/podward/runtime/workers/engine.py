"""The process that forks a worker for each call.

It is forked itself from a process that has neither threads nor an event loop yet, and never gets any. So its children
may fork, join namespaces, mount and wait as they like, and start as quickly as fork(2) does: all that they import is
there already. It reads nothing of a call: a worker does, and whatever it stumbles over ends that call alone.

What outlives a worker (pins of sandboxes, monitors of containers) becomes a child of this process, which reaps it; and
of the machine's first process once this one has ended.
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import sys
from typing import TypeVar

import msgspec

from podward.runtime import syscalls
from podward.runtime.workers.calls import Verb, serve

Service = TypeVar("Service")


def start(service: Service, verbs: dict[str, Verb[Service, object, object]]) -> tuple[int, socket.socket]:
    """Fork the engine; returns its pid and the socket over which a call's connection is sent to it.

    It ends when that socket is closed, which the kernel does where the caller's process dies.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    sys.stdout.flush()
    sys.stderr.flush()
    gc.collect()  # here: in the engine what is thrown away might wait for threads that are no longer there
    pid = os.fork()
    if pid == 0:
        try:
            ours.close()
            _run(theirs, service, verbs)
        finally:
            os._exit(0)
    theirs.close()
    return pid, ours


def _run(control: socket.socket, service: Service, verbs: dict[str, Verb[Service, object, object]]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal, for the process that answers; we end after it
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    syscalls.become_subreaper()
    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    for verb in verbs.values():
        msgspec.json.Decoder(verb.arguments)  # it looks at a type once: here, and not in every worker
    gc.freeze()  # a collection in a worker would copy every page that it touches
    poll = select.poll()
    poll.register(control, select.POLLIN)
    poll.register(woken, select.POLLIN)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll()}
        if woken in ready:
            os.read(woken, 4096)
            _reap()
        if control.fileno() in ready:
            word, descriptors, _, _ = socket.recv_fds(control, 1, 1)
            if not word:
                return
            for descriptor in descriptors:
                os.set_inheritable(descriptor, False)  # or a monitor had it, too, after its worker
                _fork_worker(control, descriptor, (woken, wake), service, verbs)


def _fork_worker(
    control: socket.socket,
    connection: int,
    ours: tuple[int, int],
    service: Service,
    verbs: dict[str, Verb[Service, object, object]],
) -> None:
    try:
        pid = os.fork()
    except OSError:  # the caller sees its connection closed, and says so
        os.close(connection)
        return
    if pid:
        os.close(connection)
        return
    try:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        control.close()
        for descriptor in ours:
            os.close(descriptor)
        with contextlib.suppress(ConnectionError):
            serve(socket.socket(fileno=connection), service, verbs)
    except BaseException as error:  # noqa: BLE001 - a worker must not unwind into the engine's frames
        sys.stderr.write(f"podward: a call failed: {type(error).__name__}: {error}\n")
        sys.stderr.flush()
    finally:
        os._exit(0)


def _reap() -> None:
    """Every child that has ended: workers, and what became ours when they did."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
