"""Messages as Protobuf's bytes: against bytes that were worked out by hand, and there and back."""

from __future__ import annotations

import pytest

from podward.api.nri import (
    CDIDevice,
    CompoundOwners,
    Container,
    ContainerAdjustment,
    FieldOwners,
    LinuxAdjustment,
    LinuxContainer,
    Memory,
    Message,
    NetDevice,
    OwningPlugins,
    PodSandbox,
    Rdt,
    Resources,
    User,
)
from podward.cri.nri.messages import ConfigureResponse, ContainerRequest, Request, ValidateRequest
from podward.cri.nri.protobuf import ProtobufError, decode, encode


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (PodSandbox(id="a", ips=("b",)), b"\x0a\x01aR\x01b"),
        (ConfigureResponse(events=3), b"\x10\x03"),
        (ContainerAdjustment(args=("x",)), b"J\x01x"),
        (Container(user=User(1, 2, (3, 4))), b"\xaa\x01\x08\x08\x01\x10\x02\x1a\x02\x03\x04"),
        (LinuxAdjustment(oom_score_adj=-1), b'"\x0b\x08' + b"\xff" * 9 + b"\x01"),
        (LinuxAdjustment(oom_score_adj=0), b'"\x00'),
        (Request("s", "m", b"p", 7), b"\x0a\x01s\x12\x01m\x1a\x01p \x07"),
        (Resources(unified={"k": "v"}), b"2\x06\x0a\x01k\x12\x01v"),
    ],
)
def test_fields_have_the_numbers_and_types_of_the_api(message: Message, expected: bytes) -> None:
    assert encode(message) == expected
    assert decode(type(message), expected) == message


@pytest.mark.parametrize(
    "message",
    [
        ContainerRequest(
            PodSandbox(labels={"a": "b", "": ""}),
            Container(
                args=("", "x"),
                linux=LinuxContainer(
                    resources=Resources(memory=Memory(limit=0, disable_oom_killer=False)),
                    net_devices={"eth0": NetDevice(), "eth1": NetDevice("x")},
                    rdt=Rdt(schemata=(), clos_id=""),
                ),
                cdi_devices=(CDIDevice("v/c=d"), CDIDevice()),
            ),
        ),
        ValidateRequest(owners=OwningPlugins({"c": FieldOwners({3: "p"}, {2: CompoundOwners({"/m": "-p"})})})),
        ContainerRequest(None, Container()),
    ],
)
def test_what_is_there_and_empty_is_told_from_what_is_not_there(message: Message) -> None:
    assert decode(type(message), encode(message)) == message


def test_a_field_of_a_later_version_is_refused() -> None:
    with pytest.raises(ProtobufError, match="LinuxAdjustment has field 99"):
        decode(ContainerAdjustment, b"2\x03\x98\x06\x01")


@pytest.mark.parametrize("data", [b"\x0a\xff", b"\x0a\x01\xff", b"\xff" * 20, b"\x08"])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ProtobufError):
        decode(PodSandbox, data)


@pytest.mark.parametrize("message", [PodSandbox(pid=-1), PodSandbox(name="\ud800"), Container(exit_code=1 << 40)])
def test_what_no_field_can_hold_is_not_written(message: Message) -> None:
    with pytest.raises(ProtobufError):
        encode(message)
