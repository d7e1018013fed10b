#!/usr/bin/env python3
"""Builds the small images that the examples, the demo and the tests run, from this machine's static busybox.

usage: build_images.py            into the store of `podward` (PODWARD_ROOT)

Each directory beside this file with a Containerfile is one image. What they copy is put together in a directory of its
own: `rootfs/`, with busybox and a link for each of its commands, and everything that stands here.
`podward image build -f examples/images/agnhost -t NAME CONTEXT` does the same for one of them.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile

from podward.errors import NodeError, PodwardError
from podward.runtime.images.building import build
from podward.runtime.images.store import ImageStore
from podward.runtime.state import state_root

HERE = os.path.dirname(os.path.abspath(__file__))
IMAGES = {
    "agnhost": "registry.k8s.io/e2e-test-images/agnhost:2.45",
    "busybox-root": "busybox:root",
    "busybox-1000": "busybox:1000",
    "busybox-www-data": "busybox:www-data",
    "centos": "centos:v2",
}
"""Each directory's image, by the name that manifests use."""

DIRECTORIES = {
    **dict.fromkeys(("bin", "etc", "usr", "usr/bin", "var"), 0o755),
    "root": 0o700,
    "tmp": 0o1777,
    "var/tmp": 0o1777,
}


def build_example_images(store: ImageStore) -> None:
    """Build all of `IMAGES` into this store; raises NodeError where busybox is missing or not static."""
    with tempfile.TemporaryDirectory(prefix="podward-images-") as context:
        prepare(context)
        for directory, name in IMAGES.items():
            build(store, f"{HERE}/{directory}/Containerfile", context, name)


def prepare(context: str) -> None:
    """Put into this empty directory what the Containerfiles copy."""
    shutil.copytree(HERE, context, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    for directory in ("agnhost", "etc"):
        for name in ("passwd", "group"):
            os.chmod(f"{context}/{directory}/{name}", 0o644)  # whatever the umask of the one who cloned us
    for name, mode in DIRECTORIES.items():
        os.makedirs(f"{context}/rootfs/{name}", exist_ok=True)
        os.chmod(f"{context}/rootfs/{name}", mode)
    program = f"{context}/rootfs/bin/busybox"
    shutil.copy(_static_busybox(), program)
    os.chmod(program, 0o755)  # noqa: S103  # everybody in a container may run it
    listed = subprocess.run((program, "--list"), capture_output=True, text=True, check=True).stdout.split()
    for command in listed:
        if command != "busybox":
            os.symlink("busybox", f"{context}/rootfs/bin/{command}")


def _static_busybox() -> str:
    found = shutil.which("busybox", path=f"{os.environ.get('PATH', '')}:/bin:/usr/bin")
    advice = "install it: apt-get install busybox-static"
    if found is None:
        raise NodeError("busybox is missing", advice=advice)
    with open(found, "rb") as program:
        header = program.read(1 << 12)
    if b"/ld-linux" in header or b"/ld-musl" in header:
        raise NodeError("this busybox needs libraries, which the images have not", where=found, advice=advice)
    return found


if __name__ == "__main__":
    argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0]).parse_args()
    try:
        build_example_images(ImageStore(state_root()))
    except PodwardError as error:
        sys.exit(f"build_images.py: {error}")
    print("built:", ", ".join(IMAGES.values()))
