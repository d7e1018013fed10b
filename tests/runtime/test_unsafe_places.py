"""What an image or a volume may have where a runtime reads and mounts."""

import os
from pathlib import Path

import pytest

from podward.runtime.unsafe_places import fault

KERNELS = (("/proc", ""), ("/dev", ""), ("/etc/hosts", "/etc/hosts"))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "rootfs/etc").mkdir(parents=True)
    (tmp_path / "rootfs/dev").mkdir()
    (tmp_path / "rootfs/etc/passwd").write_text("root:x:0:0::/:/bin/sh\n")
    return tmp_path / "rootfs"


@pytest.fixture
def volume(tmp_path: Path) -> Path:
    (tmp_path / "volume").mkdir()
    return tmp_path / "volume"


def test_an_ordinary_image_is_no_fault(root: Path) -> None:
    assert fault(str(root), KERNELS) == ""
    assert fault("/nowhere", KERNELS) == ""


@pytest.mark.parametrize("file", ["passwd", "group"])
def test_a_pipe_in_a_volume_is_found(root: Path, volume: Path, file: str) -> None:
    os.mkfifo(volume / file)
    assert fault(str(root), (*KERNELS, ("/etc/", str(volume)))).startswith(f"/etc/{file} is a pipe")
    assert fault(str(root), (*KERNELS, ("/data", str(volume)))) == ""


def test_a_pipe_behind_links_is_found(root: Path, volume: Path) -> None:
    os.mkfifo(volume / "pipe")
    (root / "etc/passwd").unlink()
    (root / "etc/passwd").symlink_to("../data/pipe")
    assert fault(str(root), (*KERNELS, ("/data", str(volume)))).startswith("/etc/passwd is a pipe")


@pytest.mark.parametrize("target", ["/dev/zero", "../dev/zero", "/proc/self/fd/0"])
def test_a_link_to_what_the_kernel_fills_is_found_in_images_too(root: Path, target: str) -> None:
    (root / "etc/group").symlink_to(target)
    assert fault(str(root), KERNELS).startswith(f"/etc/group leads to /{target.lstrip('./')}")


@pytest.mark.parametrize("target", ["/dev/null", "nowhere", "/etc/passwd", "group"])
def test_a_link_that_ends_is_no_fault(root: Path, target: str) -> None:
    (root / "etc/group").symlink_to(target)
    assert fault(str(root), KERNELS) == ""


def test_a_regular_file_over_a_pipe_is_no_fault(root: Path, volume: Path) -> None:
    os.mkfifo(volume / "passwd")
    mounts = (*KERNELS, ("/etc", str(volume)), ("/etc/passwd", str(root / "etc/passwd")))
    assert fault(str(root), mounts) == ""


def test_a_device_that_is_mounted_there_is_found(root: Path) -> None:
    assert fault(str(root), (*KERNELS, ("/etc/passwd", "/dev/zero"))).startswith("/etc/passwd is a device")


@pytest.mark.parametrize("target", ["/dev/null", "../proc/self/status", "/sys/kernel"])
def test_a_mount_that_a_link_leads_into_the_kernels_files_is_found(root: Path, target: str) -> None:
    (root / "etc/hosts").symlink_to(target)
    found = fault(str(root), KERNELS)
    assert found.startswith("/etc/hosts")
    assert found.endswith(f"leads to /{target.lstrip('./')}")
    (root / "etc/hosts").unlink()
    (root / "data").symlink_to(target)
    assert fault(str(root), (*KERNELS, ("/data", "/etc/hosts"))).startswith("/data")


@pytest.mark.parametrize("destination", ["/dev/data", "/proc/sys", "/run/hosts"])
def test_what_is_mounted_there_by_its_own_name_is_the_manifests_business(root: Path, destination: str) -> None:
    (root / "etc/hosts").symlink_to("/run/hosts")
    assert fault(str(root), (*KERNELS, (destination, "/etc/hosts"))) == ""
