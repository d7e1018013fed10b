"""What a service does when it starts: everything is brought to its true state, whatever its predecessor was killed at.

A sandbox whose pin lives is as its record says. One that was in the making is taken away with all that was made of it,
one whose pin died is stopped, one that was being stopped or removed comes to the end of it. A worker of the predecessor
may still be at work; it holds the lock of what it changes, and finishes that itself.

Then what no record knows goes: directories without a record, pins of sandboxes and monitors of containers that are not
there, addresses that nobody has, what pulls left. Other cgroups and devices need no search: each is noted before it is
made.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import ParamSpec

from msgspec import Struct

from podward.errors import PodwardError
from podward.runtime.images import staging as images
from podward.runtime.network import pod as network
from podward.runtime.service import container_ending, container_recovery, names, pins, sandboxes
from podward.runtime.service.phases import ContainerPhase, SandboxPhase
from podward.runtime.service.records import ContainerRecord, Records, SandboxRecord, is_id
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.state import Lock
from podward.runtime.volumes import remove_tree
from podward.runtime.workers.calls import Caller

_PATIENCE, _PAUSE = 0.5, 0.02
"""Seconds that a lock is waited for: what a dead worker has started holds its locks until it executes."""
Asked = ParamSpec("Asked")


class RecoverRequest(Struct, frozen=True):
    """Nothing is to be said."""


class RecoverResponse(Struct, frozen=True):
    """The ids of sandboxes that were brought to another state, and what could not be done, in sentences.

    Others are still at work on the `busy` ones: what becomes of those is told by a later call.
    """

    settled: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()


class _Report:
    """What came of each step: one that fails keeps no other from being tried."""

    def __init__(self) -> None:
        self.settled: list[str] = []
        self.left: list[str] = []
        self.busy: list[str] = []

    def attempt(self, what: str, step: Callable[Asked, object], *given: Asked.args, **named: Asked.kwargs) -> None:
        try:
            step(*given, **named)
        except (PodwardError, OSError) as error:
            self.left.append(f"{what}: {error}")


def settle_interrupted(service: RuntimeService, request: RecoverRequest, caller: Caller) -> RecoverResponse:
    """Finish what killed workers were at, while others are at work: half-made things, and what was being taken away."""
    del request, caller
    report = _Report()
    _settle_all(service, report)
    return RecoverResponse(tuple(report.settled), tuple(report.left), tuple(report.busy))


def _settle_all(service: RuntimeService, report: _Report) -> None:
    unsettled = [record.id for record in service.records.every(SandboxRecord) if not _is_settled(record)]
    for identifier in unsettled:
        report.attempt(f"sandbox {identifier}", _settle_sandbox, service, identifier, report)
    for container in service.records.every(ContainerRecord):
        report.attempt(f"container {container.id}", _settle_container, service, container)


def recover(service: RuntimeService, request: RecoverRequest, caller: Caller) -> RecoverResponse:
    """Bring everything to its true state, before anybody is served, and take away what no record knows."""
    del request, caller
    report = _Report()
    _settle_all(service, report)
    report.attempt("monitors", container_recovery.end_unknown_monitors, service)
    report.attempt("containers", container_recovery.forget_unknown, service)
    for kind in (SandboxRecord, ContainerRecord):
        report.attempt("directories", _remove_without_record, service.records, kind)
    report.attempt("pins", _end_unknown_pins, service.records)
    report.attempt("names", names.forget_unknown, service.records)
    report.attempt("addresses", network.free_unknown, service.state, _attached(service))
    report.attempt("images", images.sweep, service.images)
    return RecoverResponse(tuple(report.settled), tuple(report.left), tuple(report.busy))


def _is_settled(record: SandboxRecord) -> bool:
    return sandboxes.is_ready(record) or record.phase is SandboxPhase.NOT_READY


def _settle_sandbox(service: RuntimeService, identifier: str, report: _Report) -> None:
    """Settle it; of one that somebody is at work on, wait a little: a process of a dead worker may not execute yet."""
    deadline = time.monotonic() + _PATIENCE
    while not sandboxes.settle(service, identifier):
        if time.monotonic() > deadline:
            report.busy.append(identifier)
            return
        time.sleep(_PAUSE)
    report.settled.append(identifier)


def _settle_container(service: RuntimeService, record: ContainerRecord) -> None:
    """Take away what was in the making or going, or has no sandbox; note the end of what has ended.

    One that somebody is at work on is left to him.
    """
    lock = Lock.attempt(f"{service.records.directory(ContainerRecord, record.id)}/lock")
    if lock is None:
        return
    lock.release()
    if not service.records.has(SandboxRecord, record.sandbox):
        container_ending.take_away(service, record.id)
    elif record.phase is not ContainerPhase.EXITED:
        container_ending.settle(service, record.id)  # it reads again: who made it may have come to the end just now


def _remove_without_record(records: Records, kind: type[SandboxRecord | ContainerRecord]) -> None:
    """Remove what was killed before its record was written, or after it was removed."""
    home = os.path.dirname(records.directory(kind, "-"))
    for name in os.listdir(home):
        if is_id(name) and not records.has(kind, name):
            with Lock.wait(f"{home}/{name}/lock"):
                if not records.has(kind, name):
                    remove_tree(f"{home}/{name}")


def _end_unknown_pins(records: Records) -> None:
    home = os.path.dirname(records.directory(SandboxRecord, "-"))
    for pin, directory in tuple(pins.every(home)):
        record = records.read(SandboxRecord, os.path.basename(directory))
        if record is None or record.phase is SandboxPhase.NOT_READY:
            pins.end(pin)


def _attached(service: RuntimeService) -> Callable[[str], bool]:
    """Whether somebody of this identity may have a network: a sandbox, or a Pod that is run beside the service."""
    places = (service.state.pods, os.path.dirname(service.records.directory(SandboxRecord, "-")))
    return lambda identity: any(os.path.isdir(f"{place}/{identity}") for place in places)
