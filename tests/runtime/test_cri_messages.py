"""Typed messages and protobuf's say the same: nothing is lost either way, what has no place is refused."""

from __future__ import annotations

import inspect
from functools import cache
from typing import Any

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message as ProtobufMessage
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields

from podward.api import cri, cri_image_requests, cri_requests, cri_stats, cri_stats_requests, cri_status
from podward.api.cri import (
    Capability,
    ContainerConfig,
    LinuxContainerConfig,
    LinuxContainerSecurityContext,
    LinuxSandboxSecurityContext,
    Message,
    PodSandboxConfig,
    UserNamespace,
)
from podward.api.cri_requests import CreateContainerRequest, RunPodSandboxRequest
from podward.api.cri_status import ContainerFilter, ContainerStatus, Image, PodSandboxFilter
from podward.errors import InputError
from podward.runtime import cri_messages as messages
from podward.runtime import cri_protocol as protocol

MODULES = (cri, cri_requests, cri_image_requests, cri_stats, cri_stats_requests, cri_status)
EVERY = [
    kind
    for module in MODULES
    for _, kind in inspect.getmembers(module, inspect.isclass)
    if issubclass(kind, Message) and kind is not Message and kind.__module__ == module.__name__
]
NO_PLACE = {"windows", "seccomp_profile_path"}
RANGES = {
    FieldDescriptor.TYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_UINT64: (0, (1 << 64) - 1),
    FieldDescriptor.TYPE_UINT32: (0, (1 << 32) - 1),
}
TEXTS = st.text(st.characters(codec="utf-8"), max_size=6)
OTHERS: dict[object, st.SearchStrategy[object]] = {
    bool: st.booleans(),
    bytes: st.binary(max_size=4),
    float: st.floats(allow_nan=False),
    str: TEXTS,
}


@cache
def any_of(kind: type[Struct]) -> st.SearchStrategy[Any]:
    """Values of a typed message, by what the protocol lets stand in its fields."""
    rows = messages._rows(kind)  # noqa: SLF001 - the same table, read from the other side
    return st.builds(kind, **{row.name: _value(row) for row in rows})


def _value(row: messages._Row) -> st.SearchStrategy[Any]:
    if row.is_map:
        return st.dictionaries(TEXTS, TEXTS, max_size=2)
    if row.struct is not None:
        one = any_of(row.struct)
    else:
        field = row.wrapped or row.field
        if field.enum_type is not None:
            one = st.sampled_from([value.name for value in field.enum_type.values])
        elif field.type in RANGES:
            one = st.integers(*RANGES[field.type])
        else:
            one = OTHERS[row.inner]
    if row.field.is_repeated:
        return st.lists(one, max_size=2).map(tuple)
    return st.one_of(st.none(), one) if row.default is None else one


def there_and_back(value: Struct) -> Struct:
    wire = messages.message(value).SerializeToString()
    return messages.typed(protocol.load().messages[type(value).__name__].FromString(wire), type(value))


@pytest.mark.parametrize("kind", EVERY)
def test_every_field_of_the_protocol_has_its_place(kind: type[Struct]) -> None:
    of_message = {field.name for field in protocol.load().messages[kind.__name__].DESCRIPTOR.fields}
    assert len(fields(kind)) == len(of_message - NO_PLACE)


SHORT = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@SHORT
@given(value=st.one_of(any_of(ContainerConfig), any_of(PodSandboxConfig)))
def test_configurations_come_back_equal(value: Struct) -> None:
    assert there_and_back(value) == value


@SHORT
@given(value=st.sampled_from(EVERY).flatmap(any_of))
def test_every_message_comes_back_equal(value: Struct) -> None:
    assert there_and_back(value) == value


def wire(name: str, **values: object) -> ProtobufMessage:
    return protocol.load().messages[name](**values)


def test_zero_and_absent_are_not_the_same() -> None:
    absent = messages.typed(wire("LinuxContainerSecurityContext"), LinuxContainerSecurityContext)
    root = wire("LinuxContainerSecurityContext", run_as_user={"value": 0})
    zero = messages.typed(root, LinuxContainerSecurityContext)
    assert (absent.run_as_user, zero.run_as_user) == (None, 0)
    assert messages.message(zero) == root
    assert messages.typed(wire("PodSandboxFilter", state={}), PodSandboxFilter).state == "SANDBOX_READY"
    assert messages.typed(wire("PodSandboxFilter"), PodSandboxFilter).state is None
    assert messages.typed(wire("ContainerFilter", state={"state": 2}), ContainerFilter).state == "CONTAINER_EXITED"


def test_capabilities_have_their_own_names() -> None:
    made = messages.message(Capability(("A",), ("B",), ("C",)))
    assert made == wire("Capability", add_capabilities=["A"], drop_capabilities=["B"], add_ambient_capabilities=["C"])


@pytest.mark.parametrize(
    ("name", "values", "kind", "said"),
    [
        ("ContainerConfig", {"windows": {}}, ContainerConfig, "windows is not supported"),
        ("PodSandboxConfig", {"windows": {}}, PodSandboxConfig, "windows is not supported"),
        (
            "LinuxSandboxSecurityContext",
            {"seccomp_profile_path": "x"},
            LinuxSandboxSecurityContext,
            "seccomp_profile_path is not supported",
        ),
        ("ContainerConfig", {"stop_signal": 99}, ContainerConfig, "nobody knows the value 99"),
        ("ContainerConfig", {"envs": [{"key": "A", "value": b"\xff"}]}, ContainerConfig, "no UTF-8"),
    ],
)
def test_what_has_no_place_is_refused(name: str, values: dict[str, Any], kind: type[Struct], said: str) -> None:
    with pytest.raises(InputError, match=said):
        messages.typed(wire(name, **values), kind)


@pytest.mark.parametrize(
    "value",
    [
        ContainerStatus(state="GONE"),
        ContainerStatus(exit_code=1 << 40),
        ContainerStatus(reason="\udcff"),
        Image(size=-1),
    ],
)
def test_what_the_protocol_does_not_say_is_refused(value: Struct) -> None:
    with pytest.raises(InputError, match="this is no"):
        messages.message(value)


def test_a_user_namespace_is_the_pods_where_the_protocol_says_nothing() -> None:
    assert messages.typed(wire("UserNamespace"), UserNamespace).mode == "POD"
    assert messages.message(UserNamespace()) == wire("UserNamespace", mode="NODE")


def test_what_stands_deep_inside_is_found() -> None:
    asked = CreateContainerRequest(
        "pod",
        ContainerConfig(linux=LinuxContainerConfig(security_context=LinuxContainerSecurityContext(run_as_user=0))),
        PodSandboxConfig(),
    )
    assert there_and_back(asked) == asked
    assert messages.typed(wire("RunPodSandboxRequest"), RunPodSandboxRequest).config is None
