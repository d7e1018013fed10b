"""The messages and methods of `runtime.v1`, as Kubernetes has them now.

The descriptors of `container-runtime-interface-api` are older: what they lack stands here as a table, and is added to a
copy of them in a pool of its own. Numbers and types are those of `api.proto` of cri-api; fields that neither know are
kept by protobuf and are sent on.
"""

from __future__ import annotations

from functools import cache

from cri_api.v1 import api_pb2
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    ServiceDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from msgspec import Struct

PACKAGE = "runtime.v1"

_SCALARS = {
    "string": FieldDescriptorProto.TYPE_STRING,
    "bool": FieldDescriptorProto.TYPE_BOOL,
}
_REPEATED = "repeated "

_FIELDS: tuple[tuple[str, str, int, str], ...] = (
    ("ImageSpec", "image_ref", 20, "string"),
    ("RuntimeFeatures", "user_namespaces_host_network", 2, "bool"),
    ("StreamPodSandboxesRequest", "filter", 1, "PodSandboxFilter"),
    ("StreamPodSandboxesResponse", "pod_sandboxes", 1, "repeated PodSandbox"),
    ("StreamContainersRequest", "filter", 1, "ContainerFilter"),
    ("StreamContainersResponse", "containers", 1, "repeated Container"),
    ("StreamContainerStatsRequest", "filter", 1, "ContainerStatsFilter"),
    ("StreamContainerStatsResponse", "container_stats", 1, "repeated ContainerStats"),
    ("StreamPodSandboxStatsRequest", "filter", 1, "PodSandboxStatsFilter"),
    ("StreamPodSandboxStatsResponse", "pod_sandbox_stats", 1, "repeated PodSandboxStats"),
    ("StreamPodSandboxMetricsResponse", "pod_sandbox_metrics", 1, "repeated PodSandboxMetrics"),
    ("StreamImagesRequest", "filter", 1, "ImageFilter"),
    ("StreamImagesResponse", "images", 1, "repeated Image"),
)
"""Message, field, number, type: what the package lacks. A message that is not there is made."""

_EMPTY = ("StreamPodSandboxMetricsRequest",)
"""Messages that the package lacks, and that have no fields."""

_BYTES = (("KeyValue", "value"),)
"""Fields that were strings and are bytes now: the same on the wire, but a value that is no UTF-8 can be received."""

_STREAMS: tuple[tuple[str, str], ...] = (
    ("RuntimeService", "StreamPodSandboxes"),
    ("RuntimeService", "StreamContainers"),
    ("RuntimeService", "StreamContainerStats"),
    ("RuntimeService", "StreamPodSandboxStats"),
    ("RuntimeService", "StreamPodSandboxMetrics"),
    ("ImageService", "StreamImages"),
)
"""Methods that the package lacks; each answers with a stream, and its messages have its name."""


class Method(Struct, frozen=True):
    """A method: its service, the classes of its messages, and whether it answers with a stream."""

    service: str
    name: str
    request: type[Message]
    response: type[Message]
    streams: bool

    @property
    def path(self) -> str:
        """Its name in HTTP/2."""
        return f"/{self.service}/{self.name}"


class Protocol(Struct, frozen=True):
    """All classes of messages by their names, and all methods by their paths."""

    messages: dict[str, type[Message]]
    methods: dict[str, Method]


@cache
def load() -> Protocol:
    """The protocol; made once."""
    pool = DescriptorPool()
    pool.Add(completed())
    described = pool.FindFileByName(api_pb2.DESCRIPTOR.name)
    messages = {name: GetMessageClass(message) for name, message in described.message_types_by_name.items()}
    methods = [
        Method(
            service.full_name,
            method.name,
            messages[method.input_type.name],
            messages[method.output_type.name],
            method.server_streaming,
        )
        for service in described.services_by_name.values()
        for method in service.methods
    ]
    return Protocol(messages, {method.path: method for method in methods})


def completed() -> FileDescriptorProto:
    """The package's descriptors with what they lack. What a newer package has already is left as it is there."""
    file = FileDescriptorProto()
    api_pb2.DESCRIPTOR.CopyToProto(file)
    messages = {message.name: message for message in file.message_type}
    for name in (*_EMPTY, *(row[0] for row in _FIELDS)):
        if name not in messages:
            messages[name] = file.message_type.add(name=name)
    for name, field, number, kind in _FIELDS:
        _add_field(messages[name], field, number, kind)
    for name, field in _BYTES:
        next(row for row in messages[name].field if row.name == field).type = FieldDescriptorProto.TYPE_BYTES
    services = {service.name: service for service in file.service}
    for name, method in _STREAMS:
        _add_stream(services[name], method)
    return file


def _add_field(message: DescriptorProto, name: str, number: int, kind: str) -> None:
    if any(field.name == name for field in message.field):
        return
    repeated, bare = kind.startswith(_REPEATED), kind.removeprefix(_REPEATED)
    field = message.field.add(name=name, number=number)
    field.label = FieldDescriptorProto.LABEL_REPEATED if repeated else FieldDescriptorProto.LABEL_OPTIONAL
    field.type = _SCALARS.get(bare, FieldDescriptorProto.TYPE_MESSAGE)
    if bare not in _SCALARS:
        field.type_name = _full_name(bare)


def _add_stream(service: ServiceDescriptorProto, name: str) -> None:
    if all(method.name != name for method in service.method):
        service.method.add(
            name=name,
            input_type=_full_name(f"{name}Request"),
            output_type=_full_name(f"{name}Response"),
            server_streaming=True,
        )


def _full_name(message: str) -> str:
    return f".{PACKAGE}.{message}"
