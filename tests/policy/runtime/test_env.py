"""The environment of the process: what the three runtimes make of the image's and the Pod's variables."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from podward.api.cri import ContainerConfig, KeyValue
from podward.api.image import Image, ImageConfig
from podward.decision import Decision
from podward.policy.runtime import env
from podward.policy.runtime.defaults import load
from podward.policy.runtime.runtime_profile import RuntimeProfile

ALL = ("containerd", "cri-o", "docker")
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def profile(runtime: str) -> RuntimeProfile:
    return RuntimeProfile(load(runtime), Decision())


def image(**config: object) -> Image:
    return Image("busybox", "id", config=msgspec.structs.replace(ImageConfig(), **config))


def values(decision: Decision) -> list[Any]:
    assert not decision.violations
    return [assignment.value for assignment in decision.assignments]


def environment(runtime: str, of_image: tuple[str, ...] = (), *of_pod: KeyValue, tty: bool = False) -> list[Any]:
    config = ContainerConfig(envs=of_pod, tty=tty)
    return values(env.decide(config, image(env=of_image), "host", profile(runtime)))


@pytest.mark.parametrize(
    ("runtime", "expected"),
    [
        ("containerd", [PATH, "TERM=xterm", "HOSTNAME=host"]),
        ("cri-o", [PATH, "TERM=xterm", "HOSTNAME=host"]),
        ("docker", [PATH, "HOSTNAME=host", "TERM=xterm"]),
    ],
)
def test_what_the_environment_begins_with(runtime: str, expected: list[str]) -> None:
    assert environment(runtime, tty=True) == expected
    without = [entry for entry in expected if runtime == "cri-o" or not entry.startswith("TERM=")]
    assert environment(runtime) == without


@pytest.mark.parametrize("runtime", ALL)
def test_the_last_value_of_a_variable_is_the_pod_s(runtime: str) -> None:
    entries = environment(runtime, ("PATH=/image", "A=image", "B=b"), KeyValue("A", "pod"), KeyValue("C", "x=y"))
    assert dict(entry.split("=", 1) for entry in entries) == {
        **({"TERM": "xterm"} if runtime == "cri-o" else {}),
        "PATH": "/image",
        "HOSTNAME": "host",
        "A": "pod",
        "B": "b",
        "C": "x=y",
    }
    assert entries[0] == "PATH=/image"


def test_containerd_keeps_the_image_s_value_before_the_pod_s() -> None:
    assert environment("containerd", ("A=image",), KeyValue("A", "pod"))[-2:] == ["A=image", "A=pod"]
    assert environment("docker", ("A=image",), KeyValue("A", "pod"))[-1:] == ["A=pod"]


def test_a_variable_of_the_image_without_a_value_takes_the_name_away() -> None:
    assert environment("containerd", ("PATH",)) == ["HOSTNAME=host"]
    assert environment("docker", ("PATH",)) == ["HOSTNAME=host"]
    assert environment("cri-o", ("PATH",))[0] == PATH


def test_no_host_name_is_no_variable() -> None:
    assert values(env.decide(ContainerConfig(), image(), "", profile("containerd"))) == [PATH]
