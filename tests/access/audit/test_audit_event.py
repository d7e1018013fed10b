"""Events of the audit log: where a request comes from, what it is about, and text that is none."""

from __future__ import annotations

import json

import pytest

from podward.access.audit.event import Event, agent, line, reference, source_addresses, user_info
from podward.api.authorization import Attributes
from podward.api.caller import User


@pytest.mark.parametrize(
    ("forwarded", "real", "remote", "addresses"),
    [
        ("", "", "127.0.0.1", ("127.0.0.1",)),
        ("10.1.2.3, 10.2.2.2", "1.2.3.4", "127.0.0.1", ("10.1.2.3", "10.2.2.2", "1.2.3.4", "127.0.0.1")),
        ("10.1.2.3", "10.1.2.3", "10.1.2.3", ("10.1.2.3",)),
        ("localhost, 010.1.2.3", "nobody", "::1", ("10.1.2.3", "::1")),
        ("::ffff:10.0.0.1", "", "", ("10.0.0.1",)),
        ("", "", "", ()),
    ],
)
def test_addresses_end_with_the_one_that_is_connected(
    forwarded: str, real: str, remote: str, addresses: tuple[str, ...]
) -> None:
    assert source_addresses(forwarded, real, remote) == addresses


def test_of_a_new_object_the_body_says_the_name() -> None:
    wanted = Attributes(User("alice"), "create", "apps", "deployments", "", "", "shop", version="v1")
    found = reference(wanted, {"metadata": {"name": "web", "namespace": "other", "resourceVersion": 5}})
    assert found is not None
    assert (found.name, found.namespace, found.resource_version) == ("web", "shop", "")
    assert reference(Attributes(User("alice"), "get", path="/healthz"), None) is None


def test_a_long_name_of_a_client_is_cut() -> None:
    assert agent("x" * 1024) == "x" * 1024
    assert agent("x" * 1025) == "x" * 1024 + "...TRUNCATED"


def test_bytes_that_are_no_text_are_replaced() -> None:
    made = Event(
        kind="Event", api_version="audit.k8s.io/v1", level="Metadata", audit_id="\udcff\ud800", stage="Panic",
        request_uri="/", verb="", user=user_info(User("alice", extra={"b": ("1",), "a": ("2",)})),
        request_received_timestamp="", stage_timestamp="",
    )  # fmt: skip
    found = json.loads(line(made))
    assert found["auditID"] == "\ufffd\ufffd"
    assert list(found["user"]["extra"]) == ["a", "b"]
