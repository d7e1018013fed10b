"""The image service's verbs through the engine: pulled from a mirror, found, removed, left in the middle."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from served_runtime import Served
from tests.runtime.images.conftest import Layout
from tests.runtime.images.served import Request, serving
from tests.runtime.images.served import Served as Registry

from podward.api.cri import ContainerConfig, ContainerMetadata, ImageSpec
from podward.api.cri_image_requests import (
    ImageFsInfoRequest,
    ImageFsInfoResponse,
    ImageStatusRequest,
    ImageStatusResponse,
    ListImagesRequest,
    ListImagesResponse,
    PullImageRequest,
    PullImageResponse,
    RemoveImageRequest,
    RemoveImageResponse,
)
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_status import Image, ImageFilter
from podward.runtime.images.pulling import Registries
from podward.runtime.images.staging import WORK_DIRECTORY
from podward.runtime.service import verbs
from podward.runtime.service.phases import ContainerPhase
from podward.runtime.service.records import ContainerRecord
from podward.runtime.service.recovery import RecoverRequest
from podward.runtime.service.runtime_service import RuntimeService, ServiceOptions

pytestmark = pytest.mark.needs("root", "crun", "umoci")

TAGS = "registry.example.com/tags"
OTHER = "other.example.com/tags"


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[Registry]:
    """A registry with `tags` under three tags."""
    layout = Layout(tmp_path / "layout")
    layout.image([layout.tar(layout.entry("etc/passwd", b"u:x:5:6::/h:/s\n"))], "tags:1", {"User": "1003:1004"})
    with serving() as served:
        for tag in ("1", "2", "latest"):
            served.add(layout, "tags", tag)
        yield served


@pytest.fixture
def served(tmp_path: Path, runtimes: Path, registry: Registry) -> Iterator[Served]:
    """A service that asks the registry for the images of two others, as their mirror."""
    text = ""
    for prefix in (TAGS, OTHER):
        text += f'[[registry]]\nprefix = "{prefix.partition("/")[0]}"\nlocation = "127.0.0.9:9"\n'
        text += f'[[registry.mirror]]\nlocation = "{registry.host}"\ninsecure = true\n'
    (tmp_path / "registries.conf").write_text(text)
    (tmp_path / "auth.json").write_text("{}")
    registries = Registries(str(tmp_path / "registries.conf"), authfile=str(tmp_path / "auth.json"))
    (tmp_path / "state").mkdir(mode=0o700)
    shutil.copy2(runtimes / "runtime.json", tmp_path / "state")
    made = Served(RuntimeService(str(tmp_path / "state"), ServiceOptions(registries=registries)))
    try:
        yield made
    finally:
        made.close()


def pull(served: Served, name: str) -> str:
    answer = served.call(verbs.PULL_IMAGE, PullImageRequest(ImageSpec(name)))
    assert isinstance(answer, PullImageResponse), answer
    return answer.image_ref


def status(served: Served, name: str) -> Image | None:
    answer = served.call(verbs.IMAGE_STATUS, ImageStatusRequest(ImageSpec(name)))
    assert isinstance(answer, ImageStatusResponse), answer
    return answer.image


def remove(served: Served, name: str) -> None:
    assert served.call(verbs.REMOVE_IMAGE, RemoveImageRequest(ImageSpec(name))) == RemoveImageResponse()


def listed(served: Served, name: str = "") -> tuple[Image, ...]:
    wanted = ImageFilter(ImageSpec(name)) if name else None
    answer = served.call(verbs.LIST_IMAGES, ListImagesRequest(wanted))
    assert isinstance(answer, ListImagesResponse), answer
    return answer.images


def test_an_image_goes_by_one_id_whatever_its_names(served: Served) -> None:
    ids = {pull(served, name) for name in (f"{TAGS}:1", f"{TAGS}:2", TAGS, f"{OTHER}:1")}
    (found,) = listed(served)
    assert ids == {found.id}
    assert found.repo_tags == (f"{OTHER}:1", f"{TAGS}:1", f"{TAGS}:2", f"{TAGS}:latest")
    assert [name.partition("@")[0] for name in found.repo_digests] == [OTHER, TAGS]
    assert (found.uid, found.username, found.size > 0) == (1003, "", True)
    for name in (*found.repo_tags, *found.repo_digests, found.id, TAGS):
        assert status(served, name) == found
        assert listed(served, name) == (found,)


def test_an_image_that_is_pulled_by_digest_has_no_tag(served: Served) -> None:
    pull(served, f"{TAGS}:1")
    (found,) = listed(served)
    (digest,) = found.repo_digests
    remove(served, found.id)
    assert pull(served, digest) == found.id
    (again,) = listed(served)
    assert (again.repo_tags, again.repo_digests) == ((), (digest,))


@pytest.mark.parametrize("by", ["tag", "digest", "id"])
def test_removing_takes_all_names_of_all_registries(by: str, served: Served) -> None:
    pull(served, f"{OTHER}:1")
    pull(served, f"{TAGS}:1")
    (found,) = listed(served)
    said = {"tag": found.repo_tags[0], "digest": found.repo_digests[0], "id": found.id}[by]
    remove(served, said)
    assert listed(served) == ()
    assert [status(served, name) for name in (*found.repo_tags, *found.repo_digests, found.id)] == [None] * 5
    remove(served, said)


def test_removing_one_image_five_times_at_once_succeeds_each_time(served: Served) -> None:
    identifier = pull(served, f"{TAGS}:1")

    async def main() -> None:
        client = served.client()

        async def one() -> None:
            wanted = ImageSpec(identifier)
            answer = await client.call(verbs.REMOVE_IMAGE, RemoveImageRequest(wanted))
            assert answer == RemoveImageResponse()
            assert await client.call(verbs.IMAGE_STATUS, ImageStatusRequest(wanted)) == ImageStatusResponse()

        await asyncio.gather(*(one() for _ in range(5)))

    asyncio.run(main())


def test_a_pull_whose_client_leaves_leaves_nothing(served: Served, registry: Registry) -> None:
    held, free = threading.Event(), threading.Event()

    def slowly(request: Request) -> None:
        if "/blobs/" in request.path:
            held.set()
            free.wait(60)

    registry.before = slowly

    async def main() -> None:
        pulling = served.client().call(verbs.PULL_IMAGE, PullImageRequest(ImageSpec(f"{TAGS}:1")))
        call = asyncio.ensure_future(pulling)
        assert await asyncio.to_thread(held.wait, 60)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    work = f"{served.service.images.directory}/{WORK_DIRECTORY}"
    try:
        asyncio.run(main())
        deadline = time.monotonic() + 20
        while os.listdir(work) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert os.listdir(work) == []
    finally:
        free.set()
    assert listed(served) == ()
    registry.before = lambda _: None
    assert pull(served, f"{TAGS}:1")


def test_the_files_stay_for_a_container_that_is_there(served: Served) -> None:
    identifier = pull(served, f"{TAGS}:1")
    config = ContainerConfig(ContainerMetadata("c"), ImageSpec(identifier))
    record = ContainerRecord("b" * 64, "a" * 64, ContainerPhase.CREATED, config, identifier, identifier, 1)
    records = served.service.records
    records.add(record).release()
    remove(served, identifier)
    assert listed(served) == ()
    files = f"{served.service.images.directory}/rootfs/{identifier[7:]}/rootfs/etc/passwd"
    assert os.path.exists(files)
    os.unlink(f"{records.directory(ContainerRecord, record.id)}/container.json")
    served.call(verbs.RECOVER, RecoverRequest())
    assert not os.path.exists(files)


def test_an_image_that_nobody_has_is_not_found(served: Served) -> None:
    answer = served.call(verbs.PULL_IMAGE, PullImageRequest(ImageSpec("registry.example.com/none:1")))
    assert isinstance(answer, CriRefusal)
    assert "manifest unknown" in answer.message
    assert "127.0.0.9:9/none: connection refused" in answer.message


@pytest.mark.parametrize(
    ("spec", "code"),
    [
        (ImageSpec(), CriCode.INVALID_ARGUMENT),
        (ImageSpec(f"{TAGS}:1", runtime_handler="none"), CriCode.INVALID_ARGUMENT),
        (ImageSpec(f"{TAGS}:1", runtime_handler="kata"), CriCode.FAILED_PRECONDITION),
        (ImageSpec("127.0.0.9:9/a"), CriCode.UNAVAILABLE),
    ],
)
def test_a_pull_that_can_not_be_is_refused(spec: ImageSpec, code: CriCode, served: Served) -> None:
    answer = served.call(verbs.PULL_IMAGE, PullImageRequest(spec))
    assert isinstance(answer, CriRefusal)
    assert answer.code is code


def test_what_is_no_name_is_an_invalid_argument(served: Served) -> None:
    for spec in (ImageSpec("team/UPPER"), ImageSpec()):
        for answer in (
            served.call(verbs.IMAGE_STATUS, ImageStatusRequest(spec)),
            served.call(verbs.REMOVE_IMAGE, RemoveImageRequest(spec)),
        ):
            assert isinstance(answer, CriRefusal)
            assert answer.code is CriCode.INVALID_ARGUMENT


def test_verbose_tells_the_images_config(served: Served) -> None:
    pull(served, f"{TAGS}:1")
    answer = served.call(verbs.IMAGE_STATUS, ImageStatusRequest(ImageSpec(f"{TAGS}:1"), verbose=True))
    assert isinstance(answer, ImageStatusResponse)
    assert '"User": "1003:1004"' in answer.info["info"]


def test_the_directory_that_a_kubelet_is_told_is_there_before_any_image(served: Served) -> None:
    answer = served.call(verbs.IMAGE_FS_INFO, ImageFsInfoRequest())
    assert isinstance(answer, ImageFsInfoResponse)
    (usage,) = answer.image_filesystems
    assert usage.fs_id is not None
    assert os.path.isdir(usage.fs_id.mountpoint)


def test_what_images_take_of_the_disk(served: Served) -> None:
    pull(served, f"{TAGS}:1")
    answer = served.call(verbs.IMAGE_FS_INFO, ImageFsInfoRequest())
    assert isinstance(answer, ImageFsInfoResponse)
    (usage,) = answer.image_filesystems
    assert usage.fs_id is not None
    assert usage.fs_id.mountpoint == served.service.images.directory
    assert usage.used_bytes
    assert usage.inodes_used
