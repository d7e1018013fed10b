"""The example images are what the scenarios say of them."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from podward.runtime.images.store import ImageStore

pytestmark = pytest.mark.needs("root", "umoci", "busybox")

BUILD = os.path.join(os.path.dirname(__file__), "../../../examples/images/build_images.py")


@pytest.fixture
def images(store: ImageStore) -> ImageStore:
    old = os.umask(0o077)
    try:
        subprocess.run(
            [sys.executable, BUILD],
            check=True,
            env={**os.environ, "PODWARD_ROOT": os.path.dirname(store.directory)},
            stdout=subprocess.DEVNULL,
        )
    finally:
        os.umask(old)
    return store


def test_each_has_its_user_and_its_user_files(images: ImageStore) -> None:
    users = {"busybox:root": "", "busybox:1000": "1000", "busybox:www-data": "www-data", "centos:v2": ""}
    for name, user in users.items():
        image = images.load(images.resolve(name))
        assert image.config.user == user
        assert [entry.uid for entry in image.passwd if entry.name == "www-data"] == [33]
    agnhost = images.load(images.resolve("registry.k8s.io/e2e-test-images/agnhost:2.45"))
    assert agnhost.config.user == ""
    (entry,) = [entry for entry in agnhost.passwd if entry.name == "user-defined-in-image"]
    assert (entry.uid, entry.gid) == (1000, 1000)
    (group,) = [group for group in agnhost.group if group.gid == 50000]
    assert (group.name, group.members, group.line) == ("group-defined-in-image", ("user-defined-in-image",), 6)


def test_their_programs_run_for_everybody(images: ImageStore) -> None:
    for name in ("busybox:root", "registry.k8s.io/e2e-test-images/agnhost:2.45"):
        root = images.resolve(name).rootfs
        words = [
            "chroot",
            "--userspec=1000:1000",
            root,
            "/bin/sh",
            "-c",
            "id -u && cat /etc/passwd >/tmp/copy && touch /tmp/x",
        ]
        assert subprocess.run(words, check=True, capture_output=True, text=True).stdout == "1000\n"
