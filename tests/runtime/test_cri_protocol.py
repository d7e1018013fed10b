"""The protocol is today's: its bytes are those of the real API, whatever the package's age."""

from __future__ import annotations

import pytest
from cri_api.v1 import api_pb2
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.message import Message

from podward.runtime import cri_protocol as protocol


def message(name: str, **values: object) -> Message:
    return protocol.load().messages[name](**values)


@pytest.mark.parametrize(
    ("made", "wire"),
    [
        (("ImageSpec", {"image": "a", "image_ref": "b"}), b"\x0a\x01a\xa2\x01\x01b"),
        (("RuntimeFeatures", {"user_namespaces_host_network": True}), b"\x10\x01"),
        (("KeyValue", {"key": "k", "value": b"\xff"}), b"\x0a\x01k\x12\x01\xff"),
        (("Mount", {"container_path": "/c", "uidMappings": [{"host_id": 3}]}), b"\x0a\x02/c\x32\x02\x08\x03"),
        (("ContainerConfig", {"CDI_devices": [{"name": "v/c=d"}]}), b"\x8a\x01\x07\x0a\x05v/c=d"),
        (("StreamImagesResponse", {"images": [{"id": "x"}]}), b"\x0a\x03\x0a\x01x"),
    ],
)
def test_the_bytes_are_those_of_the_api(made: tuple[str, dict[str, object]], wire: bytes) -> None:
    name, values = made
    assert message(name, **values).SerializeToString() == wire
    assert protocol.load().messages[name].FromString(wire) == message(name, **values)


def test_what_is_newer_than_this_table_is_sent_on() -> None:
    newer = b"\x0a\x01a\xfa\x3f\x03new"  # field 1023
    assert protocol.load().messages["ImageSpec"].FromString(newer).SerializeToString() == newer


def test_all_that_the_package_has_is_there() -> None:
    ours = protocol.load()
    for service in api_pb2.DESCRIPTOR.services_by_name.values():
        for method in service.methods:
            found = ours.methods[f"/runtime.v1.{service.name}/{method.name}"]
            assert found.request.DESCRIPTOR.name == method.input_type.name
            assert found.response.DESCRIPTOR.name == method.output_type.name
            assert found.streams == method.server_streaming


def test_lists_are_streamed() -> None:
    streams = {method.name for method in protocol.load().methods.values() if method.streams}
    assert streams == {
        "GetContainerEvents",
        "StreamPodSandboxes",
        "StreamContainers",
        "StreamContainerStats",
        "StreamPodSandboxStats",
        "StreamPodSandboxMetrics",
        "StreamImages",
    }
    method = protocol.load().methods["/runtime.v1.ImageService/StreamImages"]
    assert (method.service, method.name) == ("runtime.v1.ImageService", "StreamImages")
    assert method.path == "/runtime.v1.ImageService/StreamImages"


def test_a_package_that_has_caught_up_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    once = protocol.completed()

    class Newer:
        @staticmethod
        def CopyToProto(file: FileDescriptorProto) -> None:  # noqa: N802 - protobuf's name
            file.CopyFrom(once)

    monkeypatch.setattr(api_pb2, "DESCRIPTOR", Newer)
    assert protocol.completed() == once
