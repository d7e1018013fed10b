"""The VOLUMEs of an image, by runtime."""

from __future__ import annotations

import pytest

from podward.api.cri import ContainerConfig, Mount
from podward.api.image import Image, ImageConfig, UnknownImage
from podward.decision import Decision, Origin, Unknown
from podward.policy.runtime import defaults, image_volumes, mounts
from podward.policy.runtime.runtime_profile import RuntimeProfile


def image(*places: str) -> Image:
    return Image("test/vol:1", "", ImageConfig(volumes=places))


def message(*places: str) -> ContainerConfig:
    return ContainerConfig(mounts=tuple(Mount(place, "/host") for place in places))


def decided(runtime: str, found: image_volumes.ImageVolumes, config: ContainerConfig) -> Decision:
    profile = RuntimeProfile(defaults.load(runtime), Decision())
    return mounts.decide(config, mounts.SandboxFiles(), profile, mounts.Volumes(found, "/made"))


def test_places_are_normal_and_in_order_and_each_is_there_once() -> None:
    found = image_volumes.find(image("/data/", "cache", "/data", "/a/../b"), message())
    assert found.places == ("/b", "/cache", "/data")


def test_a_mount_of_the_message_takes_a_volumes_place() -> None:
    assert image_volumes.find(image("/data", "/data/sub"), message("/data/")).places == ("/data/sub",)


def test_an_image_that_nobody_knows_has_none() -> None:
    assert image_volumes.find(UnknownImage("x", Unknown("", "")), message()).places == ()


@pytest.mark.parametrize("runtime", ["containerd", "docker"])
def test_it_is_mounted_writable_on_a_read_only_root(runtime: str) -> None:
    found = image_volumes.find(image("/data", "/cache"), message())
    rows = [a for a in decided(runtime, found, message()).assignments if a.source.origin is Origin.IMAGE]
    assert [(a.value.destination, a.value.source) for a in rows] == [  # type: ignore[union-attr]
        ("/cache", "/made/0/rootfs"),
        ("/data", "/made/1/rootfs"),
    ]
    assert all("ro" not in a.value.options for a in rows)  # type: ignore[union-attr]


def test_a_mount_below_a_volume_comes_after_it() -> None:
    config = message("/data/a")
    found = image_volumes.find(image("/data"), config)
    places = [a.value.destination for a in decided("containerd", found, config).assignments]  # type: ignore[union-attr]
    assert places.index("/data") < places.index("/data/a")


def test_cri_o_makes_a_directory_and_mounts_nothing() -> None:
    found = image_volumes.find(image("/data"), message())
    assert found.mounts("cri-o", "/made") == []
    assert found.directories("cri-o") == ("/data",)
    assert found.directories("containerd") == ()


def test_the_root_can_not_be_a_volume() -> None:
    assert decided("containerd", image_volumes.find(image("/"), message()), message()).refused
    assert not decided("cri-o", image_volumes.find(image("/"), message()), message()).refused
