"""CRI's image service: the verbs over a store, without a registry."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from podward.api.cri_stats import FilesystemIdentifier
from podward.errors import ImageError
from podward.runtime.images.importing import import_path
from podward.runtime.images.removal import collect
from podward.runtime.images.service import ImageService
from podward.runtime.images.staging import sweep
from podward.runtime.images.store import ImageStore

if TYPE_CHECKING:
    from tests.runtime.images.conftest import Layout

pytestmark = pytest.mark.needs("root", "umoci")


@pytest.fixture
def service(store: ImageStore) -> ImageService:
    return ImageService(store)


def imported(store: ImageStore, layout: Layout, *names: str, user: str = "", content: bytes = b"x") -> str:
    """An image under these names; returns its id."""
    for name in names:
        layout.image([layout.tar(layout.entry("f", content))], name, {"User": user})
    taken = import_path(store, str(layout.path))
    layout.manifests.clear()
    return taken[0].id


@pytest.mark.parametrize(
    ("user", "reported"),
    [
        ("1002", (1002, "")),
        ("www-data", (None, "www-data")),
        ("1003:1004", (1003, "")),
        ("www-data:1004", (None, "www-data")),
        ("", (None, "")),
    ],
)
def test_a_numeric_user_is_a_uid_and_any_other_a_name(
    user: str, reported: tuple[int | None, str], service: ImageService, store: ImageStore, layout: Layout
) -> None:
    identifier = imported(store, layout, "a:1", user=user)
    found = service.status(identifier)
    assert found is not None
    assert (found.id, (found.uid, found.username)) == (identifier, reported)


def test_an_image_is_found_by_each_name_and_by_its_id(service: ImageService, store: ImageStore, layout: Layout) -> None:
    identifier = imported(store, layout, "a:1", "b:2")
    found = service.status("a:1")
    assert found is not None
    assert found.repo_tags == ("docker.io/library/a:1", "docker.io/library/b:2")
    assert found.size > 4096
    assert {service.status(name) for name in ("docker.io/library/b:2", identifier, identifier[7:])} == {found}
    assert service.list() == service.list("a:1") == (found,)
    assert '"diff_ids"' in service.config("a:1")


def test_an_image_that_is_not_here_is_no_error(service: ImageService, store: ImageStore) -> None:
    for name in ("none:1", "0" * 64, "sha256:" + "0" * 64):
        assert service.status(name) is None
        assert service.list(name) == ()
        assert service.config(name) == ""
        service.remove(name)
    assert not os.path.exists(store.directory)


def test_what_is_no_name_is_refused(service: ImageService) -> None:
    with pytest.raises(ImageError, match="is not an image's name"):
        service.status("team/UPPER:1")


@pytest.mark.parametrize("said", ["a:1", "id"])
def test_removing_by_any_name_removes_all_names(
    said: str, service: ImageService, store: ImageStore, layout: Layout
) -> None:
    identifier = imported(store, layout, "a:1", "b:2")
    other = imported(store, layout, "c:1", content=b"other")
    service.remove(identifier if said == "id" else said)
    service.remove(identifier if said == "id" else said)
    assert [service.status(name) for name in ("a:1", "b:2", identifier)] == [None] * 3
    assert [image.id for image in service.list()] == [other]
    assert os.listdir(f"{store.directory}/rootfs") == [other[7:]]


def test_the_files_of_an_image_in_use_stay_until_the_last_user_has_let_go(store: ImageStore, layout: Layout) -> None:
    users: set[str] = set()
    knowing = ImageStore(os.path.dirname(store.directory), lambda: frozenset(users))
    service = ImageService(knowing)
    identifier = imported(store, layout, "a:1")
    users.add(identifier)
    place = f"{store.directory}/rootfs/{identifier[7:]}"
    with open(f"{place}/lock") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        service.remove("a:1")
        assert service.status("a:1") is service.status(identifier) is None
        assert os.path.exists(f"{place}/rootfs/f")
        users.clear()
        sweep(knowing)
        assert os.path.exists(f"{place}/rootfs/f")
    users.add(identifier)
    sweep(knowing)
    assert os.path.exists(f"{place}/rootfs/f")
    users.clear()
    sweep(knowing)
    assert not os.path.exists(place)


def test_an_image_that_comes_back_while_it_is_in_use_is_the_same(store: ImageStore, layout: Layout) -> None:
    identifier = imported(store, layout, "a:1")
    knowing = ImageStore(os.path.dirname(store.directory), lambda: frozenset((identifier,)))
    service = ImageService(knowing)
    files = f"{store.directory}/rootfs/{identifier[7:]}/rootfs"
    inode = os.stat(files).st_ino
    service.remove("a:1")
    assert imported(knowing, layout, "b:1") == identifier
    found = service.status("b:1")
    assert found is not None
    assert (found.id, os.stat(files).st_ino) == (identifier, inode)


def test_collecting_removes_images_that_have_no_name_and_no_user(
    service: ImageService, store: ImageStore, layout: Layout
) -> None:
    assert collect(store) == ()
    old = imported(store, layout, "a:1")
    held = imported(store, layout, "a:1", content=b"held")
    new = imported(store, layout, "a:1", content=b"newer")
    assert {image.id for image in service.list()} == {old, held, new}
    with store.hold(store.resolve(held)):
        assert collect(store) == (old,)
    assert {image.id for image in service.list()} == {held, new}
    assert collect(store) == (held,)
    assert os.listdir(f"{store.directory}/rootfs") == [new[7:]]


def used(service: ImageService) -> int:
    found = service.filesystem().used_bytes
    assert found is not None
    return found


def test_the_file_systems_use_grows_and_shrinks_with_the_images(
    service: ImageService, store: ImageStore, layout: Layout
) -> None:
    assert (used(service), service.filesystem().inodes_used) == (0, 0)
    imported(store, layout, "a:1", content=os.urandom(1 << 20))
    one = used(service)
    assert 2 << 20 <= one < 3 << 20  # the layer and the file
    usage = service.filesystem()
    assert usage.fs_id == FilesystemIdentifier(store.directory)
    assert usage.timestamp > 1_600_000_000_000_000_000
    assert usage.inodes_used == 4  # the file; manifest, config and layer
    second = imported(store, layout, "b:1", content=os.urandom(1 << 20))
    assert used(service) > 2 * (2 << 20)
    service.remove(second)
    assert used(service) == one


def test_a_file_with_many_links_takes_its_room_once(service: ImageService, store: ImageStore, layout: Layout) -> None:
    links = [layout.entry(f"bin/{number}", type=b"1", linkname="bin/busybox") for number in range(50)]
    layout.image([layout.tar(layout.entry("bin/busybox", os.urandom(1 << 20)), *links)], "a:1")
    import_path(store, str(layout.path))
    assert used(service) < 3 << 20


def test_a_damaged_image_is_listed_and_can_be_removed(service: ImageService, store: ImageStore, layout: Layout) -> None:
    identifier = imported(store, layout, "a:1", user="5")
    os.unlink(f"{store.directory}/rootfs/{identifier[7:]}/image.json")
    (found,) = service.list()
    assert (found.id, found.uid, found.size > 0) == (identifier, None, True)
    service.remove(identifier)
    assert service.list() == ()


def test_pinned_images_are_marked(store: ImageStore, layout: Layout) -> None:
    imported(store, layout, "a:1")
    for patterns, pinned in ((("docker.io/library/a:1",), True), (("docker.io/*",), True), (("other*",), False)):
        found = ImageService(store, pinned=patterns).status("a:1")
        assert found is not None
        assert found.pinned is pinned


def test_what_another_process_changes_is_seen_at_once(service: ImageService, store: ImageStore, layout: Layout) -> None:
    imported(store, layout, "a:1")
    assert service.status("a:1") is not None
    ImageService(ImageStore(os.path.dirname(store.directory))).remove("a:1")
    assert service.status("a:1") is None
    imported(store, layout, "b:1")
    assert service.status("b:1") is not None
