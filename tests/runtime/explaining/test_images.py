"""Images of Pods that are explained: an absent one is a value, a wrong name or a broken image is an error."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podward.api.image import Image, UnknownImage
from podward.errors import ImageError, NodeError
from podward.runtime.explaining.images import ImageFacts, Images
from podward.runtime.images.store import IndexEntry, encode_index


def test_an_image_that_is_not_here_is_unknown_and_says_how_to_bring_it(tmp_path: Path) -> None:
    found = Images(str(tmp_path)).find("quay.io/team/app:1.0")
    assert isinstance(found, UnknownImage)
    assert found.name == "quay.io/team/app:1.0"
    assert found.unknown.why == "image quay.io/team/app:1.0 is not here"
    assert "podward image pull quay.io/team/app:1.0" in found.unknown.remedy
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", "Upper/Case", "a b", "x:\x1b[31m"])
def test_what_is_no_image_s_name_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ImageError):
        Images(str(tmp_path)).find(name)


def test_an_image_whose_files_are_gone_is_an_error_not_an_unknown_one(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    entry = IndexEntry("docker.io/library/a:1", f"sha256:{'1' * 64}", f"sha256:{'2' * 64}", 1)
    (tmp_path / "images" / "index.json").write_bytes(encode_index((entry,)))
    with pytest.raises(ImageError, match="files are gone"):
        Images(str(tmp_path)).find("a:1")


def test_what_an_image_has_is_looked_for_in_it_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "rootfs/data").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "rootfs/way").symlink_to("../outside")
    found = ImageFacts(Image("a", "sha256:1"), str(tmp_path / "rootfs"))
    assert [found.has(place) for place in ("/data", "/data/below", "/way")] == [True, False, False]

    def refused(*_arguments: object) -> int:
        raise PermissionError(13, "Permission denied", "rootfs")

    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(NodeError, match="Permission denied"):
        found.has("/data")
