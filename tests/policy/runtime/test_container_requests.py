"""Containers that a runtime refuses to make, each with its sentence; and where a log goes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from podward.api.cri import (
    ContainerConfig,
    ContainerMetadata,
    Device,
    IDMapping,
    ImageSpec,
    KeyValue,
    LinuxContainerConfig,
    LinuxContainerSecurityContext,
    Mount,
    NamespaceOption,
    PodSandboxConfig,
    UserNamespace,
)
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.policy.runtime.container_requests import check, log_path
from podward.policy.runtime.request_refusal import refusal_of

POD = PodSandboxConfig(log_directory="/var/log/pods/p")
APP = ContainerConfig(ContainerMetadata("app"), ImageSpec("busybox"))


def said(**changed: object) -> list[str]:
    return [violation.reason for violation in check(structs.replace(APP, **changed), POD).violations]


@pytest.mark.parametrize("config", [None, ContainerConfig(image=ImageSpec("busybox"))])
def test_a_container_has_metadata(config: ContainerConfig | None) -> None:
    answer = refusal_of(check(config, POD))
    assert answer == CriRefusal(CriCode.INVALID_ARGUMENT, "container config must include metadata")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"image": ImageSpec()}, "container config must name an image"),
        ({"log_path": "../x"}, 'log path "../x" leaves the sandbox\'s log directory'),
        ({"log_path": "a/../.."}, "leaves the sandbox's log directory"),
        ({"log_path": "."}, "leaves the sandbox's log directory"),
        ({"working_dir": "tmp"}, 'working directory "tmp" is not absolute'),
        ({"command": ("a\0b",)}, "NUL"),
        ({"envs": (KeyValue("", "x"),)}, '"" is no variable'),
        ({"envs": (KeyValue("A=B", "x"),)}, '"A=B" is no variable'),
        ({"mounts": (Mount("", "/a"),)}, "is no place below the container's root"),
        ({"mounts": (Mount("/", "/a"),)}, "is no place below the container's root"),
        ({"mounts": (Mount("/a/../..", "/a"),)}, "is no place below the container's root"),
        ({"mounts": (Mount("/a", "b"),)}, 'host path "b" is not absolute'),
        ({"mounts": (Mount("/a", "/b", image_sub_path="x"),)}, "is set without an image"),
        ({"devices": (Device("/dev/x", "/dev/x", "rx"),)}, 'permissions "rx" of a device are none'),
        ({"devices": (Device("/dev/x", "/dev/x", ""),)}, "of r, w and m"),
        ({"devices": (Device("x", "/dev/x", "r"),)}, "no place in the container"),
        ({"devices": (Device("/dev/x", "x", "r"),)}, "is not absolute"),
    ],
)
def test_what_could_not_be_made_is_refused_before(changed: dict[str, Any], sentence: str) -> None:
    (reason,) = said(**changed)
    assert sentence in reason


IMAGE = ImageSpec("busybox")


@pytest.mark.parametrize(
    ("mount", "sentence"),
    [
        (Mount("/a", "", False, image=IMAGE), "readonly must be true while mount image"),
        (Mount("/a", "/b", True, image=IMAGE), "hostpath must be empty while mount image"),
        (Mount("/a", "", True, image=ImageSpec()), "image not specified"),
        (Mount("/a", "", True, image=IMAGE, image_sub_path="../etc"), "leads out of the image"),
        (Mount("/a", "", True, image=IMAGE, image_sub_path="/etc"), "leads out of the image"),
    ],
)
def test_images_that_are_not_mounted(mount: Mount, sentence: str) -> None:
    (reason,) = said(mounts=(mount,))
    assert reason.startswith("ImageVolumeMountFailed: ")
    assert sentence in reason


def context(modes: NamespaceOption) -> LinuxContainerConfig:
    return LinuxContainerConfig(security_context=LinuxContainerSecurityContext(namespace_options=modes))


def test_namespaces_that_are_not_there() -> None:
    assert said(linux=context(NamespaceOption(pid="TARGET"))) == ["invalid target container: no id is given"]
    (reason,) = said(linux=context(NamespaceOption(userns_options=UserNamespace("TARGET"))))
    assert reason == 'user namespace configuration: unsupported user namespace mode: "TARGET"'


def test_what_kubelets_ask_for_is_made() -> None:
    lines = (IDMapping(0, 65536, 65536),)
    modes = NamespaceOption(pid="TARGET", target_id="x", userns_options=UserNamespace("POD", lines, lines))
    assert not said(
        log_path="app/0.log",
        working_dir="/",
        command=("sh", "-c", "true"),
        envs=(KeyValue("A", "b=c\n"), KeyValue("with.dot")),
        mounts=(Mount("/a", "/b"), Mount("/c", "", True, image=IMAGE, image_sub_path="usr/bin")),
        devices=(Device("/dev/fuse", "/dev/fuse", "mrw"),),
        linux=context(modes),
    )


@pytest.mark.parametrize(
    ("directory", "name", "expected"),
    [("/pods/p", "a/0.log", "/pods/p/a/0.log"), ("", "a", ""), ("/pods/p", "", ""), ("/", "a", "/a")],
)
def test_a_log_is_in_the_pods_directory(directory: str, name: str, expected: str) -> None:
    config, pod = structs.replace(APP, log_path=name), PodSandboxConfig(log_directory=directory)
    assert not check(config, pod).refused
    assert log_path(config, pod) == expected


@given(st.text(alphabet="./a\0"))
def test_no_log_leaves_the_directory(name: str) -> None:
    config = structs.replace(APP, log_path=name)
    if name and not check(config, POD).refused:
        assert log_path(config, POD).startswith("/var/log/pods/p/")
