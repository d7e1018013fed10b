"""What is told where images cannot be collected, of runtimes that refuse."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

import pytest

from podward.api.cri_image_requests import (
    ImageFsInfoRequest,
    ImageFsInfoResponse,
    ListImagesRequest,
    ListImagesResponse,
    RemoveImageRequest,
)
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import ListContainersRequest, ListContainersResponse
from podward.api.cri_stats import FilesystemIdentifier, FilesystemUsage
from podward.api.cri_status import Image
from podward.api.json_value import JsonObject
from podward.node.context import NodeContext
from podward.node.image_collection import ImageCollection
from podward.node.options import Options
from podward.policy.kubelet.image_collection import Thresholds

REFUSED = CriRefusal(CriCode.INTERNAL, "no")
THRESHOLDS = Thresholds(high=1, low=0, least_age=0.0)


class Refusing:
    """A runtime with two images that it does not remove; `answers` are others than these."""

    def __init__(self, mountpoint: str, answers: dict[type, object] | None = None) -> None:
        usage = FilesystemUsage(1, FilesystemIdentifier(mountpoint))
        self.answers: dict[type, object] = {
            ListImagesRequest: ListImagesResponse((Image("a", size=5), Image("b", size=6))),
            ListContainersRequest: ListContainersResponse(()),
            ImageFsInfoRequest: ImageFsInfoResponse((usage,)),
            RemoveImageRequest: REFUSED,
        } | (answers or {})

    async def call(self, _verb: object, request: object) -> object:
        return self.answers[type(request)]


def told(runtime: Refusing, rounds: int, images: Thresholds = THRESHOLDS) -> tuple[list[str], list[tuple[str, str]]]:
    """The lines of the log, and the events of the node, after so many rounds."""
    lines: list[str] = []
    events: list[tuple[str, str]] = []

    def tell(obj: JsonObject, _kind: str, reason: str, message: str) -> None:
        assert obj["metadata"] == {"name": "n1"}
        events.append((reason, message))

    context = SimpleNamespace(
        runtime=runtime,
        options=Options("", "", "n1", endpoint="socket", images=images),
        log=SimpleNamespace(failed=lines.append, note=lambda _: None),
        recorder=SimpleNamespace(event=tell),
    )
    collection = ImageCollection(cast("NodeContext", context), lambda: None)
    for _ in range(rounds):
        asyncio.run(collection.look())
    return lines, events


def test_what_fails_once_is_told_to_the_log_and_what_fails_again_by_an_event() -> None:
    lines, events = told(Refusing("/", {ListImagesRequest: REFUSED}), 3)
    error = "rpc error: code = Internal desc = no"
    assert lines[0] == f"image garbage collection failed once: {error}"
    assert lines[1:] == [f"image garbage collection failed multiple times in a row: {error}"] * 2
    assert events == [("ImageGCFailed", error)] * 2


def test_an_image_that_cannot_be_removed_keeps_no_other_and_is_told() -> None:
    lines, events = told(Refusing("/"), 1)
    assert lines[0].startswith("image garbage collection failed once: wanted to free ")
    assert lines[0].endswith(
        " bytes, but freed 0 bytes space with errors in image deletion: rpc error: code = Internal desc = no"
    )
    assert events == []


def test_a_file_system_that_is_not_there_has_no_capacity() -> None:
    assert told(Refusing("/nowhere"), 1)[1] == [("InvalidDiskCapacity", "invalid capacity 0 on image filesystem")]


@pytest.mark.parametrize(("seconds", "removed"), [(0.0, 0), (1e-9, 1)])
def test_what_is_older_than_the_greatest_age_goes_however_empty_the_disk_is(seconds: float, removed: int) -> None:
    lines, _ = told(Refusing("/"), 1, Thresholds(high=100, low=0, greatest_age=seconds))
    assert len([line for line in lines if "wanted to free images older than" in line]) == removed
