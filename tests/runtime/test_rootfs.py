"""The overlay that is a container's root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podward.runtime import rootfs, syscalls

pytestmark = pytest.mark.needs("root")


def test_what_is_written_to_a_root_is_not_waited_for(tmp_path: Path) -> None:
    image, own, seen = tmp_path / "image", tmp_path / "own", tmp_path / "seen"
    image.mkdir(mode=0o755)
    own.mkdir()
    (image / "a").write_text("of the image")
    child = os.fork()
    if child == 0:
        try:
            syscalls.unshare(syscalls.CLONE_NEWNS)
            syscalls.mount("", "/", "", syscalls.MS_REC | syscalls.MS_PRIVATE, "")
            root = Path(rootfs.mount(str(image), str(own), None, ""))
            (root / "b").write_text((root / "a").read_text())
            lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
            seen.write_text(next(line for line in lines if f" {root} " in line), encoding="utf-8")
            rootfs.unmount(str(own))
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    assert "volatile" in seen.read_text(encoding="utf-8").split(" ")[-1]
    assert (own / "upper" / "b").read_text() == "of the image"
    assert not (image / "b").exists()
