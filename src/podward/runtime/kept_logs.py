"""Reading what a container of a kept Pod has printed, as `kubectl logs` shows it.

Specification (kubelet `logs.ReadLogs`, kubectl logs, in our words): both streams are printed, in the order in which
they came. `tail` counts lines of the file from its end, `since` leaves out what came before a time. A part of a line is
printed without a line's end. With timestamps each begins with the time at which it came. Following ends with the run of
the container. `previous` is the run before the current one. Only the newest file of a run is read.
"""

from __future__ import annotations

import os
import time

from msgspec import Struct

from podward.errors import NodeError
from podward.runtime import kept
from podward.runtime.kept import Container, Kept
from podward.runtime.logs import write_all
from podward.runtime.state import State

PAUSE = 0.1
"""Seconds between two looks at a log that is followed."""


class Selection(Struct, frozen=True):
    """What of a log is printed, and how: `tail` lines (-1: all), not before `since` (a time as the log has it)."""

    tail: int = -1
    since: bytes = b""
    timestamps: bool = False


class Log:
    """The log of one run of a container; `prefix` stands before each line."""

    def __init__(self, pod: Kept, container: Container, *, previous: bool, prefix: str = "") -> None:
        """Raises NodeError where there is no such run."""
        self.container = container
        self.attempt = container.attempt - (1 if previous else 0)
        self._file = f"{pod.directory}/logs/{container.name}/{self.attempt}.log"
        self._prefix = prefix.encode()
        self._rest = b""
        try:
            self._descriptor = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError as error:
            what = "previous run of container" if previous else "run of container"
            raise NodeError(
                f"there is no {what} {container.name} in Pod {pod.record.name}",
                advice=f"`podward ps` shows its restarts; its last one is number {container.attempt}",
            ) from error

    def print_first(self, selection: Selection, target: int) -> None:
        """Print what is there."""
        lines = self._new_lines()
        if selection.tail >= 0:
            lines = lines[len(lines) - min(selection.tail, len(lines)) :]
        write_all(target, self._shown(lines, selection))

    def print_new(self, selection: Selection, target: int) -> None:
        """Print what has come since."""
        write_all(target, self._shown(self._new_lines(), selection))

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    def _new_lines(self) -> list[bytes]:
        """The complete lines that were not read before; a file that made way for a new one is read to its end first."""
        data = self._rest + self._read()
        if self._has_made_way():
            data += self._read()
            os.close(self._descriptor)
            self._descriptor = os.open(self._file, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            data += self._read()
        lines = data.split(b"\n")
        self._rest = lines.pop()
        return lines

    def _read(self) -> bytes:
        parts = []
        while part := os.read(self._descriptor, 1 << 20):
            parts.append(part)
        return b"".join(parts)

    def _has_made_way(self) -> bool:
        try:
            newest = os.stat(self._file, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return newest.st_ino != os.fstat(self._descriptor).st_ino

    def _shown(self, lines: list[bytes], selection: Selection) -> bytes:
        return b"".join(self._line(line, selection) for line in lines)

    def _line(self, line: bytes, selection: Selection) -> bytes:
        when, _, rest = line.partition(b" ")
        _, _, rest = rest.partition(b" ")
        tag, _, text = rest.partition(b" ")
        if when < selection.since:
            return b""
        shown = self._prefix + (when + b" " if selection.timestamps else b"") + text
        return shown if tag == b"P" else shown + b"\n"


def follow(state: State, pod: Kept, logs: list[Log], selection: Selection, target: int) -> None:
    """Print what comes, until the runs have ended."""
    going_on = list(logs)
    while going_on:
        running = _running(state, pod)
        for log in list(going_on):
            log.print_new(selection, target)
            if running.get(log.container.name) != log.attempt:
                going_on.remove(log)
        time.sleep(PAUSE if going_on else 0)


def _running(state: State, pod: Kept) -> dict[str, int]:
    """The current run of each container that runs."""
    now = next((each for each in kept.every(state) if each.id == pod.id), None)
    containers = now.record.containers if now is not None else ()
    return {container.name: container.attempt for container in containers if kept.alive(container.process)}
