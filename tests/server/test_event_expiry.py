"""Events go by themselves, an hour or so after they were last written."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest
from api_server import running
from etcd_server import free_port, running_etcd

from podward.server.event_expiry import written
from podward.store.interface import Stored

EVENTS = "/api/v1/namespaces/default/events"
NEW_EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"


def event(name: str) -> dict[str, object]:
    return {"metadata": {"name": name}, "involvedObject": {"kind": "Pod", "name": "a", "namespace": "default"}}


def gone_and_told(directory: Path, *flags: str) -> None:
    """Of two Events the one that is written again stays longer, and a watch is told of both."""
    with running(directory, "--event-ttl", "3s", *flags) as server:
        for name in ("old", "renewed"):
            assert server.ask("POST", EVENTS, event(name))[0] == 201
        version = server.ask("GET", EVENTS)[1]["metadata"]["resourceVersion"]
        time.sleep(2)
        patch = {"Content_Type": "application/merge-patch+json"}
        assert server.ask("PATCH", f"{EVENTS}/renewed", {"count": 2}, **patch)[0] == 200
        time.sleep(2.2)
        names = [found["metadata"]["name"] for found in server.ask("GET", EVENTS)[1]["items"]]
        assert names == ["renewed"]
        time.sleep(3)
        assert server.ask("GET", EVENTS)[1]["items"] == []
        _, text, _ = server.ask("GET", f"{NEW_EVENTS}?watch=1&timeoutSeconds=1&resourceVersion={version}")
        told = [json.loads(line) for line in text.splitlines()]
        assert [(each["type"], each["object"]["metadata"]["name"]) for each in told] == [
            ("MODIFIED", "renewed"), ("DELETED", "old"), ("DELETED", "renewed"),
        ]  # fmt: skip


def test_events_go_in_a_file(tmp_path: Path) -> None:
    gone_and_told(tmp_path)


@pytest.mark.needs("etcd")
def test_events_go_in_etcd(tmp_path: Path) -> None:
    port = free_port()
    with running_etcd(tmp_path / "etcd", port):
        gone_and_told(tmp_path, "--store", f"etcd://127.0.0.1:{port}")


def test_those_from_before_a_restart_go_too(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        assert server.ask("POST", EVENTS, event("old"))[0] == 201
    time.sleep(1)
    with running(tmp_path, "--event-ttl", "1s") as server:
        end = time.monotonic() + 10
        while server.ask("GET", EVENTS)[1]["items"] and time.monotonic() < end:
            time.sleep(0.1)
        assert server.ask("GET", EVENTS)[1]["items"] == []


@pytest.mark.parametrize(
    ("metadata", "seconds"),
    [
        ({"creationTimestamp": "1970-01-01T00:01:40Z"}, 100),
        ({"creationTimestamp": "1970-01-01T00:01:40Z", "managedFields": [{"time": "1970-01-01T00:03:20Z"}, {}]}, 200),
        ({"creationTimestamp": "2970-01-01T00:00:00Z"}, 1000),
        ({"creationTimestamp": "yesterday"}, 1000),
        ({"managedFields": [{"time": 5}]}, 1000),
        ({}, 1000),
    ],
)
def test_an_event_says_when_it_was_written(metadata: dict[str, object], seconds: float) -> None:
    value = json.dumps({"metadata": {**metadata, "resourceVersion": "?"}}).replace("?", "\0").encode()
    assert written(Stored("/a", value, 5, 5), now=1000) == seconds
