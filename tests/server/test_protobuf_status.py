"""A refusal in Protobuf."""

from __future__ import annotations

from podward.api.status import Status, not_acceptable
from podward.schema.protobuf import opened
from podward.server.negotiation import PRODUCED, takes_protobuf_alone
from podward.server.protobuf_status import protobuf_status


def test_it_is_what_the_api_server_writes() -> None:
    found = protobuf_status(not_acceptable(PRODUCED))
    message = b"only the following media types are accepted: " + ", ".join(PRODUCED).encode()
    inner = b"\n\x06\n\x00\x12\x00\x1a\x00\x12\x07Failure\x1at" + message + b'"\rNotAcceptable0\x96\x03'
    assert found == b"k8s\x00\n\x0c\n\x02v1\x12\x06Status\x12\x99\x01" + inner + b'\x1a\x00"\x00'
    assert opened(protobuf_status(Status(404, "NotFound", "x" * 300))).kind == "Status"


def test_it_is_for_those_that_take_nothing_else() -> None:
    assert takes_protobuf_alone("application/vnd.kubernetes.protobuf")
    assert not takes_protobuf_alone("application/vnd.kubernetes.protobuf,application/json")
    assert not takes_protobuf_alone("text/html")
