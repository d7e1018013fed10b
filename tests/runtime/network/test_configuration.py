"""Which network Pods get: others' configuration first, and a subnet of our own that nobody has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from podward.errors import InputError
from podward.runtime.network import configuration
from podward.runtime.state import State

TEN = 10 << 24


def test_the_first_file_of_others_counts(tmp_path: Path) -> None:
    state, others = State(str(tmp_path / "state")), tmp_path / "net.d"
    others.mkdir()
    plugin = {"type": "ptp", "ipam": {"type": "host-local"}}
    (others / "20.conflist").write_text(json.dumps({"name": "b", "cniVersion": "1.0.0", "plugins": [plugin]}))
    (others / "10.conf").write_text(json.dumps({"name": "a", "cniVersion": "0.4.0", **plugin}))
    (others / "05.txt").write_text("no configuration")
    chosen = configuration.choose(state, str(others))
    assert (chosen.name, chosen.version, len(chosen.plugins), chosen.bridge) == ("a", "0.4.0", 1, "")
    (others / "10.conf").unlink()
    assert configuration.choose(state, str(others)).name == "b"


def test_one_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "net.d").mkdir()
    (tmp_path / "net.d/1.conflist").write_text("{")
    with pytest.raises(InputError, match="not a CNI configuration"):
        configuration.choose(State(str(tmp_path / "state")), str(tmp_path / "net.d"))


def test_our_own_is_made_once(tmp_path: Path) -> None:
    state = State(str(tmp_path))
    first = configuration.choose(state, str(tmp_path / "nothing"))
    assert configuration.choose(state, str(tmp_path / "nothing")) == first
    assert len(first.bridge) <= 15, "a device's name has no more characters"
    assert (tmp_path / "network/own.json").stat().st_mode & 0o777 == 0o600


def test_an_address_that_was_set_aside_is_found(tmp_path: Path) -> None:
    state = State(str(tmp_path))
    networks = configuration.own(state)
    directory = tmp_path / "network/addresses/podward"
    directory.mkdir(parents=True)
    (directory / "last_reserved_ip.0").write_text("10.1.2.4")
    (directory / "10.1.2.3").write_text("podward-other\r\neth0")
    (directory / "10.1.2.4").write_text("podward-mine\r\neth0")
    assert configuration.reserved_address(state, networks, "podward-mine") == "10.1.2.4"
    assert configuration.reserved_address(state, networks, "podward-nobody") == ""


@pytest.mark.parametrize(
    ("routes", "expected"),
    [
        ((), "10.1.2.0/24"),
        (((0, 0),), "10.1.2.0/24"),
        (((TEN | 0x010200, 0xFFFFFF00),), "10.1.3.0/24"),
        (((TEN | 0x010000, 0xFFFF0000),), "10.2.0.0/24"),
        (((TEN | 0x010280, 0xFFFFFF80),), "10.1.3.0/24"),
    ],
)
def test_our_subnet_overlaps_no_route(routes: tuple[tuple[int, int], ...], expected: str) -> None:
    assert configuration.free_subnet(0x0102, routes) == expected


def test_the_first_subnet_is_left_to_services_and_longer_ones_are_whole() -> None:
    assert configuration.free_subnet(0, ()) == "10.0.1.0/24"
    assert configuration.free_subnet(0, (), 20) == "10.0.16.0/20"
    assert configuration.free_subnet(1, ((TEN | 0x1F00, 0xFFFFFF00),), 20) == "10.0.32.0/20"
    assert configuration.free_subnet(0xFFF + 0x1000, (), 20) == "10.255.240.0/20"
