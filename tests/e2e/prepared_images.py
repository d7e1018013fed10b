"""State directories with images: these are built once for a whole run of the tests, and copied for who wants them."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from build_images import prepare
from case_corpus import CASES
from podward_command import PROJECT

from podward.runtime.images.building import build
from podward.runtime.images.store import ImageStore

CASE_IMAGES = {
    "image-volume": "test/vol:1",
    "image-volume-new-path": "test/newvol:1",
    "uidgid": "test/uidgid:1",
    "uidgid-known": "test/uidgid-known:1",
    "uidgid-name": "test/uidgid-name:1",
}
"""The image of each Containerfile of the cases, by the name that their manifests use."""


def with_example_images(factory: pytest.TempPathFactory) -> Path:
    """A new state directory with the images of the examples."""
    return _copy(prepared(factory, "examples", _build_examples), factory.mktemp("examples"))


def with_case_images(factory: pytest.TempPathFactory) -> Path:
    """One that has those of tests/e2e/cases too."""
    examples = prepared(factory, "examples", _build_examples)
    return _copy(prepared(factory, "cases", lambda root: _build_cases(_copy(examples, root))), factory.mktemp("cases"))


def with_images_of(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """One that has what `make` puts into a state directory. The files are links: nobody may write them."""
    root = factory.mktemp(name)
    subprocess.run(["cp", "--archive", "--link", f"{prepared(factory, name, make)}/.", str(root)], check=True)
    return root


def _copy(source: Path, root: Path) -> Path:
    subprocess.run(["cp", "--archive", f"{source}/.", str(root)], check=True)
    return root


def prepared(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """What the first worker that comes here has made, from which the others copy."""
    base = factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    place, unfinished = shared / f"prepared-{name}", shared / f"prepared-{name}.part"
    with (shared / f"prepared-{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not place.exists():
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir(mode=0o700)
            make(unfinished)
            unfinished.rename(place)
    return place


def _build_examples(root: Path) -> None:
    builder = PROJECT / "examples" / "images" / "build_images.py"
    environment = {**os.environ, "PODWARD_ROOT": str(root)}
    subprocess.run([sys.executable, builder], env=environment, check=True, capture_output=True)


def _build_cases(root: Path) -> None:
    context = root / "context"
    context.mkdir()
    prepare(str(context))
    (context / "cache" / "proxy").mkdir(parents=True)
    (context / "cache" / "proxy" / "seed").write_text("seed\n", encoding="ascii")
    for file, name in CASE_IMAGES.items():
        build(ImageStore(str(root)), str(CASES / f"identity/{file}.Containerfile"), str(context), name)
    shutil.rmtree(context)
