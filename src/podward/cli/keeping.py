"""What `podward run --keep` does: a monitor for each Pod, and our end once the Pods run."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

from msgspec import Struct

from podward.api.referenced_objects import ReferencedObjects
from podward.cli import referenced, running, terminal
from podward.cli.given_pods import GivenPods
from podward.cli.next_commands import NextCommands
from podward.errors import PodwardError
from podward.runtime import kept, processes
from podward.runtime.monitor import Monitor
from podward.runtime.pod import PodRun
from podward.schema.workload import PodSource

INTERRUPTED = 130
LARGEST_EVENTS = 1 << 20
"""Bytes of what a monitor has to say that are kept."""


class _Started(Struct, frozen=True):
    """A monitor that was started: its pid, and where it says that its Pod runs."""

    pid: int
    told: int


def keep(given: GivenPods, args: argparse.Namespace) -> int:
    """Start the Pods, tell how to reach them once they run, and leave them to their monitors.

    The exit code is the first one's that does not come up, which is removed; the others stay.
    """
    running.require_consistent(args)
    args.seccomp_root = os.path.abspath(args.seccomp_root)  # a monitor leaves this directory
    objects = referenced.gather(tuple(given.documents), args)
    commands = NextCommands(given, args)
    started = [_start(source, objects, commands, args) for source in given.pods]
    code = 0
    try:
        for monitor in started:
            code = _wait(monitor) or code
    except KeyboardInterrupt:
        for monitor in started:
            os.kill(monitor.pid, signal.SIGINT)
        for monitor in started:
            processes.wait(monitor.pid)
        return INTERRUPTED
    return code


def _start(source: PodSource, objects: ReferencedObjects, commands: NextCommands, args: argparse.Namespace) -> _Started:
    sys.stdout.flush()
    sys.stderr.flush()
    read, write = os.pipe2(os.O_CLOEXEC)
    pid = os.fork()
    if pid == 0:
        os.close(read)
        report = _MonitorReport(commands, json=False)
        _monitor(lambda: _supervise(source, objects, report, args, write))
    os.close(write)
    return _Started(pid, read)


def _wait(monitor: _Started) -> int:
    """0 once the Pod runs, and its monitor goes on; else how the monitor ended."""
    with open(monitor.told, "rb") as told:
        if told.read(1):
            return 0
    return processes.exit_code(processes.wait(monitor.pid)) or 1


def _monitor(supervise: Callable[[], int]) -> NoReturn:
    """In the forked child: look after the Pod until it ends, or is ended."""
    code = 1
    try:
        os.setsid()
        _lead(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), 0)
        code = supervise()
    except PodwardError as error:
        terminal.complain(error)
        code = error.exit_code
    except KeyboardInterrupt:
        code = INTERRUPTED
    except OSError as error:
        terminal.complain(PodwardError((error.strerror or str(error)).lower(), where=str(error.filename or "")))
    finally:
        sys.stderr.flush()
        os._exit(code)


def _supervise(
    source: PodSource, objects: ReferencedObjects, report: _MonitorReport, args: argparse.Namespace, told: int
) -> int:
    here = running.machine_to_run_on(args, report)
    pod = running.prepared(source, objects, here, args, alone=True)
    stop = here.runtime.stop
    stop.hear_once(*kept.END, *kept.END_NOW)
    with stop.listen():
        try:
            refusals = pod.prepare()
            running.complain(source, refusals, report.commands)
            if any(refusal.of_the_pod for refusal in refusals):
                return running.REFUSED
            monitor = Monitor(pod, report, stop, lambda: _came_up(pod, report, told))
            code = monitor.run()
            if monitor.failure:
                terminal.say(f"Pod {pod.name} did not come up: {monitor.failure}; it is removed")
            return code
        finally:
            stop.note(1)
            pod.destroy()


class _MonitorReport(running.RunReport):
    """Events on standard error. Once the Pod runs that is a file beside it, which never grows without bounds."""

    in_file = False

    def probe(self, container: str, said: str) -> None:
        """As often as a probe is asked, in words that are a container's."""
        self._bound()
        super().probe(container, said)

    def restarting(self, container: str, exit_code: int, delay: float) -> None:
        """As often as a container ends."""
        self._bound()
        super().restarting(container, exit_code, delay)

    def _bound(self) -> None:
        if self.in_file and os.fstat(2).st_size > LARGEST_EVENTS:
            os.ftruncate(2, 0)


def _came_up(pod: PodRun, report: _MonitorReport, told: int) -> None:
    """Tell how to reach the Pod, and let go of the caller: what is said from now on stays beside the Pod."""
    print(pod.directory.id)
    sys.stdout.flush()
    name, an_id = pod.name, pod.directory.id
    terminal.say(f"Pod {name} runs: `podward logs {an_id}`, `podward exec {an_id} -- CMD`, `podward rm {an_id}`")
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    _lead(os.open(f"{pod.directory.path}/events", flags, 0o600), 2)
    _lead(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC), 1)
    report.in_file = True
    os.chdir("/")
    os.write(told, b"1")
    os.close(told)


def _lead(descriptor: int, to: int) -> None:
    """Make this number lead where the descriptor leads."""
    os.dup2(descriptor, to)
    os.close(descriptor)
