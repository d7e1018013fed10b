"""The images that the inputs name beside those of the examples."""

from __future__ import annotations

from pathlib import Path

import pytest
from build_images import prepare
from case_corpus import CASES
from podward_command import Podward

IMAGES = {
    "image-volume": "test/vol:1",
    "image-volume-new-path": "test/newvol:1",
    "uidgid": "test/uidgid:1",
    "uidgid-known": "test/uidgid-known:1",
    "uidgid-name": "test/uidgid-name:1",
}
"""The image of each Containerfile, by the name that the manifests use."""


@pytest.fixture(scope="session")
def case_images(images: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state directory with these images too."""
    context = tmp_path_factory.mktemp("cases")
    prepare(str(context))
    (context / "cache" / "proxy").mkdir(parents=True)
    (context / "cache" / "proxy" / "seed").write_text("seed\n", encoding="ascii")
    command = Podward(images)
    for file, name in IMAGES.items():
        made = command("image", "build", "-f", str(CASES / f"identity/{file}.Containerfile"), "-t", name, str(context))
        assert made.returncode == 0, made.stderr
    return images
