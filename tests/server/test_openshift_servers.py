"""Namespaces get ranges of their own: from two servers on one store, and those that were there before."""

from __future__ import annotations

import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from api_server import Server, running
from etcd_server import free_port, running_etcd
from openshift_server import openshift_server

NAMESPACES = "/api/v1/namespaces"
ALLOCATION = "/apis/security.internal.openshift.io/v1/rangeallocations/scc-uid"
UIDS, LEVEL = "openshift.io/sa.scc.uid-range", "openshift.io/sa.scc.mcs"
EACH = 60


def _annotations(server: Server) -> dict[str, dict[str, str]]:
    _, found, _ = server.ask("GET", NAMESPACES)
    return {each["metadata"]["name"]: each["metadata"].get("annotations", {}) for each in found["items"]}


def _given(server: Server) -> dict[str, dict[str, str]]:
    """The annotations of all namespaces, once each has ranges."""
    end = time.monotonic() + 30
    while True:
        found = _annotations(server)
        lacking = [name for name, each in found.items() if UIDS not in each]
        if not lacking:
            return found
        assert time.monotonic() < end, lacking
        time.sleep(0.05)


def _wait_for(port: int) -> None:
    """Until somebody listens there."""
    end = time.monotonic() + 30
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)


def _create(server: Server, prefix: str) -> None:
    def make(number: int) -> int:
        return server.ask("POST", NAMESPACES, {"metadata": {"name": f"{prefix}-{number}"}})[0]

    with ThreadPoolExecutor(2) as pool:
        assert set(pool.map(make, range(EACH))) == {201}


@pytest.mark.needs("etcd")
def test_two_servers_never_give_the_same_range(tmp_path: Path) -> None:
    port = free_port()
    with running_etcd(tmp_path, port):
        _wait_for(port)
        store = ("--store", f"etcd://127.0.0.1:{port}")
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
        with openshift_server(tmp_path / "one", *store) as one, openshift_server(tmp_path / "two", *store) as two:
            with ThreadPoolExecutor(2) as pool:
                list(pool.map(lambda pair: _create(*pair), ((one, "a"), (two, "b"))))
            given = _given(one)
    assert len(given) == 2 * EACH + 4
    for annotation in (UIDS, LEVEL):
        assert len({each[annotation] for each in given.values()}) == len(given)


def test_what_was_there_before_gets_ranges_and_what_was_given_by_hand_is_kept(tmp_path: Path) -> None:
    by_hand = {UIDS: "1000010000/10000", LEVEL: "s0:c9,c9"}
    with running(tmp_path) as plain:
        for name, annotations in (("old", {}), ("manual", by_hand)):
            body = {"metadata": {"name": name, "annotations": annotations}}
            assert plain.ask("POST", NAMESPACES, body)[0] == 201
    with openshift_server(tmp_path) as server:
        given = _given(server)
        assert given["manual"] == by_hand
        assert len({each[UIDS] for each in given.values()}) == len(given)
        assert server.ask("GET", ALLOCATION)[1]["range"] == "1000000000-1999999999/10000"


def test_a_range_is_not_given_twice_though_its_namespace_is_gone(tmp_path: Path) -> None:
    with openshift_server(tmp_path) as server:
        assert server.ask("POST", NAMESPACES, {"metadata": {"name": "first"}})[0] == 201
        first = _given(server)["first"]
        _gone(server, "first")
        assert server.ask("POST", NAMESPACES, {"metadata": {"name": "second"}})[0] == 201
        second = _given(server)["second"]
    with openshift_server(tmp_path) as server:
        assert server.ask("POST", NAMESPACES, {"metadata": {"name": "third"}})[0] == 201
        third = _given(server)["third"]
    assert len({each[UIDS] for each in (first, second, third)}) == 3


def _gone(server: Server, name: str) -> None:
    _, namespace, _ = server.ask("DELETE", f"{NAMESPACES}/{name}")
    namespace["spec"] = {}
    assert server.ask("PUT", f"{NAMESPACES}/{name}/finalize", namespace)[0] == 200
    assert server.ask("GET", f"{NAMESPACES}/{name}")[0] == 404


def test_other_ranges_are_refused_once_some_are_given(tmp_path: Path) -> None:
    with openshift_server(tmp_path):
        pass
    with (
        pytest.raises(AssertionError, match="conflicting UID range"),
        openshift_server(tmp_path, "--namespace-ranges", "5000-9000/1000"),
    ):
        pass


def test_small_ranges_are_given_as_long_as_there_are_any(tmp_path: Path) -> None:
    with openshift_server(tmp_path, "--namespace-ranges", "5000-9999/1000", "--namespace-levels", "s0:/1") as server:
        assert {each[UIDS] for each in _given(server).values()} == {f"{5 + n}000/1000" for n in range(4)}
        body: dict[str, Any] = {"metadata": {"name": "last"}}
        assert server.ask("POST", NAMESPACES, body)[0] == 201
        assert _given(server)["last"] == {
            UIDS: "9000/1000", "openshift.io/sa.scc.supplemental-groups": "9000/1000", LEVEL: "s0:c20",
        }  # fmt: skip
