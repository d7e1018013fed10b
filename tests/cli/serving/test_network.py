"""Ranges of addresses of a cluster on this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from podward.cli.serving import network


@pytest.mark.parametrize(
    ("services", "dns"), [("", "10.0.0.10"), ("10.96.0.0/12", "10.96.0.10"), ("192.0.2.0/29", "192.0.2.6")]
)
def test_the_address_for_names(services: str, dns: str) -> None:
    assert network.cluster_dns(services) == dns


def test_each_directory_has_a_range_of_its_own() -> None:
    ranges = {network.free_range(f"/d/{number}") for number in range(8)}

    assert all(each.startswith("10.") and each.endswith("/20") for each in ranges)
    assert len(ranges) > 6


def test_a_cluster_keeps_its_range(tmp_path: Path) -> None:
    first = network.pods_range(str(tmp_path / "cluster"))

    assert network.pods_range(str(tmp_path / "cluster")) == first
    assert (tmp_path / "cluster" / "pods-range").read_text() == f"{first}\n"
