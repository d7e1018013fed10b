"""Where streams and proxies lead to."""

from __future__ import annotations

from typing import Any

import pytest

from podward.api.status import Status
from podward.server.subresources import locations
from podward.server.subresources.locations import Named

_POD: dict[str, Any] = {
    "metadata": {"name": "p", "namespace": "n"},
    "spec": {
        "initContainers": [{"name": "i"}],
        "containers": [{"name": "a"}, {"name": "b", "ports": [{"containerPort": 8080}]}],
        "ephemeralContainers": [{"name": "e"}],
    },
    "status": {"podIP": "10.1.2.3", "podIPs": [{"ip": "10.1.2.3"}, {"ip": "fd00::3"}]},
}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("p", Named("p")),
        ("p:80", Named("p", "80")),
        ("https:p:web", Named("p", "web", "https")),
        (":p:80", Named("p", "80", "")),
        ("https:p:", Named("p", "", "https")),
    ],
)
def test_a_name_may_have_a_port_and_a_scheme(written: str, meant: Named) -> None:
    assert locations.named(written, "pod") == meant


@pytest.mark.parametrize("written", ["ftp:p:80", "a:b:c:d", ":80", ""])
def test_other_names_are_refused(written: str) -> None:
    found = locations.named(written, "pod")
    assert isinstance(found, Status)
    assert found.message == f'invalid pod request "{written}"'


def test_one_of_several_containers_must_be_named() -> None:
    assert locations.container_of(_POD, "e") == "e"
    for wanted, why in (
        ("none", "container none is not valid for pod p"),
        ("", "a container name must be specified for pod p, choose one of: [i a b e]"),
    ):
        found = locations.container_of(_POD, wanted)
        assert isinstance(found, Status)
        assert found.message == why
    alone = {**_POD, "spec": {**_POD["spec"], "containers": [{"name": "a"}]}}
    assert locations.container_of(alone, "") == "a"


def test_the_first_port_of_a_pod_is_meant_where_none_is_named() -> None:
    assert locations.address_of(_POD, "") == ("10.1.2.3", 8080)
    assert locations.address_of(_POD, "81") == ("10.1.2.3", 81)
    assert isinstance(locations.address_of(_POD, "http"), Status)
    assert isinstance(locations.address_of(_POD, "65536"), Status)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "169.254.169.254",
        "::ffff:a9fe:a9fe",
        "fe80::1",
        "224.0.0.1",
        "::",
        "host",
    ],
)
def test_addresses_of_the_servers_own_machine_are_not_asked(address: str) -> None:
    pod = {**_POD, "status": {"podIP": address}}
    found = locations.address_of(pod, "80")
    assert isinstance(found, Status)
    assert found.message == "address not allowed"


def test_options_are_told_to_the_node_as_it_reads_them() -> None:
    query = {
        "follow": ["true"],
        "previous": ["false"],
        "tailLines": ["5"],
        "sinceTime": ["2026-01-01T00:00:00Z"],
        "pretty": ["x"],
    }
    assert locations.log_query(query) == "follow=true&sinceTime=2026-01-01T00%3A00%3A00Z&tailLines=5"
    query = {"command": ["sh", "-c", "a b&c"], "stdin": ["true"], "stdout": ["1"], "stderr": ["0"], "tty": [""]}
    assert locations.command_query(query) == "command=sh&command=-c&command=a+b%26c&input=1&output=1&tty=1"
    assert locations.ports_query({"ports": ["80,81", "82"]}) == "port=80%2C81%2C82"
    assert locations.ports_query({}) == ""


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"tailLines": ["-1"], "limitBytes": ["0"]}, ["tailLines", "limitBytes"]),
        ({"sinceSeconds": ["0"]}, ["sinceSeconds"]),
        ({"sinceSeconds": ["0"], "sinceTime": ["2026-01-01T00:00:00Z"]}, [""]),
        ({"stream": ["Stdout"]}, ["stream"]),
        ({"tailLines": ["0"], "limitBytes": ["1"], "sinceSeconds": ["1"]}, []),
    ],
)
def test_what_is_wrong_with_the_options_of_a_log(query: dict[str, list[str]], fields: list[str]) -> None:
    assert [field for field, _ in locations.log_faults(query)] == fields
