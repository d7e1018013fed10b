"""The device list: which devices a container may open."""

from __future__ import annotations

import pytest

from podward.api.capability import FULL
from podward.api.filesystem import FileAccessFacts
from podward.api.node import Node
from podward.api.oci import DeviceRule, Linux, Process, Resources, Root, RuntimeSpec
from podward.decision import Decision
from podward.policy.kernel import devices
from podward.policy.kernel.devices import Device
from podward.policy.kernel.sources import Sources

NONE, ALL = DeviceRule(allow=False, access="rwm"), DeviceRule(allow=True, access="rwm")
NULL, FUSE, DISK = Device("c", 1, 3), Device("c", 10, 229), Device("b", 8, 0)


def spec(*rules: DeviceRule) -> RuntimeSpec:
    linux = Linux(resources=Resources(devices=rules))
    return RuntimeSpec(oci_version="1.0.2", process=Process(), root=Root(), linux=linux)


def predicted(runtime: str, *rules: DeviceRule) -> object:
    (made,) = devices.decide(spec(*rules), Node(FULL, runtime), Sources(Decision())).assignments
    return made.value


def test_the_runtimes_own_devices_are_open_whatever_the_spec_denies() -> None:
    usual = ("null", "zero", "full", "random", "urandom", "tty")
    assert predicted("crun", NONE) == (*usual, "console", "ptmx", "pts")
    assert predicted("runc", NONE) == (*usual, "ptmx", "pts", "tun")


def test_what_allows_everything_is_one_word() -> None:
    assert predicted("crun", ALL) == predicted("runc", ALL) == ("all",)


def test_what_no_rule_is_about_is_for_the_runtime_to_say() -> None:
    assert predicted("crun") == ("all",)
    assert predicted("runc") == predicted("runc", NONE)


def test_the_last_rule_about_a_device_decides() -> None:
    fuse = DeviceRule(allow=True, type="c", major=10, minor=229, access="r")
    assert devices.closed((NONE, fuse), FUSE) == "w"
    assert devices.closed((fuse, NONE), FUSE) == "rw"
    assert devices.closed((NONE, fuse), DISK) == "rw"


@pytest.mark.parametrize(
    "rule",
    [
        DeviceRule(allow=True, type="a", access="rw"),
        DeviceRule(allow=True, type="c", major=10, access="rw"),
        DeviceRule(allow=True, type="c", major=10, minor=-1, access="rw"),
    ],
)
def test_a_rule_may_leave_out_numbers(rule: DeviceRule) -> None:
    assert devices.closed((NONE, rule), FUSE) == ""


def test_only_device_files_are_marked() -> None:
    disk = FileAccessFacts("/dev/sda", mode=0o060600, major=8, minor=0)
    null = FileAccessFacts("/dev/null", mode=0o020666, major=1, minor=3)
    directory = FileAccessFacts("/dev", mode=0o040755)
    rules = devices.rules_of(spec(NONE), "crun")
    assert [file.closed for file in devices.marked((directory, disk, null), rules)] == ["", "rw", ""]
