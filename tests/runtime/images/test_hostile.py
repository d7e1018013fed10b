"""Images that are corrupt or hostile: one error each, nothing written, nothing left behind."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from podward.errors import ImageError, PodwardError
from podward.runtime import machine
from podward.runtime.images import unpack
from podward.runtime.images.importing import import_path
from podward.runtime.images.layers import Room, inspect_layer
from podward.runtime.images.staging import WORK_DIRECTORY
from podward.runtime.images.store import ImageStore

if TYPE_CHECKING:
    from tests.runtime.images.conftest import Layout

pytestmark = pytest.mark.needs("root", "umoci")


NOTHING = {"state", "state/images"} | {
    f"state/images/{name}" for name in ("blobs", "blobs/sha256", "lock", "oci-layout", "rootfs", "tmp")
}


def refused(store: ImageStore, path: Path) -> str:
    """Import it; returns the error after looking for what it left."""
    place = Path(store.directory).parent.parent
    before = everything(place)
    with pytest.raises(ImageError) as caught:
        import_path(store, str(path))
    assert caught.value.exit_code == 2
    assert caught.value.advice
    assert everything(place) - before <= NOTHING
    assert store.entries() == ()
    return str(caught.value)


def everything(place: Path) -> set[str]:
    found = set[str]()
    for directory, names, files in os.walk(place):
        found |= {os.path.relpath(os.path.join(directory, name), place) for name in (*names, *files)}
    return found


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("../evil", {}, "leads out"),
        ("a/../../evil", {}, "leads out"),
        ("/../evil", {}, "leads out"),
        ("..", {"type": tarfile.DIRTYPE}, "leads out"),
        ("link", {"type": tarfile.LNKTYPE, "linkname": "/etc/shadow"}, "hard link to '/etc/shadow'"),
        ("link", {"type": tarfile.LNKTYPE, "linkname": "../../etc/shadow"}, "hard link"),
        ("dev/sda", {"type": tarfile.BLKTYPE, "devmajor": 8}, "a device"),
        ("dev/mem", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 1}, "a device"),
        (".wh..", {}, "removes what is outside"),
        (".wh...", {}, "removes what is outside"),
        ("a/.wh.", {}, "removes what is outside"),
        ("f", {"pax_headers": {"SCHILY.xattr.trusted.overlay.redirect": "/x"}}, "trusted"),
    ],
)
def test_a_hostile_entry_is_refused_before_anything_is_unpacked(
    name: str,
    fields: dict[str, object],
    said: str,
    *,
    store: ImageStore,
    layout: Layout,
) -> None:
    layout.image([layout.tar(layout.entry("ok", b"fine"), layout.entry(name, b"", fields))])
    message = refused(store, layout.path)
    assert "the layer's entry" in message
    assert said in message


@pytest.mark.parametrize("target", ["{outside}", "../../../../../../../../{outside}", "/etc"])
def test_an_entry_through_a_link_that_leads_out_is_refused(
    target: str, store: ImageStore, layout: Layout, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = layout.entry("a/link", type=tarfile.SYMTYPE, linkname=target.format(outside=outside))
    layout.image([layout.tar(layout.entry("a", type=tarfile.DIRTYPE), link, layout.entry("a/link/evil", b"x"))])
    assert "leads out of the image" in refused(store, layout.path)
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize("target", ["{outside}", "../../../../../../../../../../../../../{outside}"])
def test_a_link_of_one_layer_does_not_lead_the_next_layer_out(
    target: str, store: ImageStore, layout: Layout, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    link = layout.entry("link", type=tarfile.SYMTYPE, linkname=target.format(outside=outside))
    layout.image([layout.tar(link), layout.tar(layout.entry("link/evil", b"x"), layout.entry("link/.wh.kept"))])
    (outside / "kept").touch()
    (image,) = import_path(store, str(layout.path))
    assert [path.name for path in outside.iterdir()] == ["kept"]
    assert Path(f"{store.resolve(image.id).rootfs}{outside}/evil").read_bytes() == b"x"


def test_absolute_names_and_absolute_link_targets_are_what_images_are_full_of(
    store: ImageStore, layout: Layout
) -> None:
    layout.image(
        [
            layout.tar(
                layout.entry("/etc/x", b"x"),
                layout.entry("etc/mtab", type=tarfile.SYMTYPE, linkname="/proc/self/mounts"),
            )
        ]
    )
    import_path(store, str(layout.path))
    root = Path(store.resolve("test:1").rootfs)
    assert (root / "etc/x").read_bytes() == b"x"
    assert (root / "etc/mtab").readlink() == Path("/proc/self/mounts")


@pytest.mark.parametrize("which", ["manifest", "config", "layer"])
def test_a_blob_whose_content_has_changed_is_a_digest_mismatch(which: str, store: ImageStore, layout: Layout) -> None:
    descriptor = layout.image([layout.tar(layout.entry("f", b"x"))])
    manifest = json.loads(layout.blob_path(descriptor).read_bytes())
    place = layout.blob_path(
        {"manifest": descriptor, "config": manifest["config"], "layer": manifest["layers"][0]}[which]
    )
    content = bytearray(place.read_bytes())
    content[-3] ^= 1
    place.write_bytes(content)
    assert "digest mismatch" in refused(store, layout.path)


def test_a_corrupt_copy_is_refused_although_the_good_one_is_here(store: ImageStore, layout: Layout) -> None:
    descriptor = layout.image([layout.tar(layout.entry("f", b"x"))])
    import_path(store, str(layout.path))
    layer = json.loads(layout.blob_path(descriptor).read_bytes())["layers"][0]
    place = layout.blob_path(layer)
    place.write_bytes(b"\0" * place.stat().st_size)
    with pytest.raises(ImageError, match="digest mismatch"):
        import_path(store, str(layout.path))
    assert Path(store.resolve("test:1").rootfs, "f").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("size", "said"),
    [(5, "more than 5"), (10**6, "not 1,000,000"), (-1, "more than"), (10**15, "more than there is room for")],
)
def test_a_layer_of_another_size_than_it_says_is_refused(
    size: int, said: str, *, store: ImageStore, layout: Layout
) -> None:
    descriptor = layout.image([layout.tar(layout.entry("f", b"x"))])
    manifest = json.loads(layout.blob_path(descriptor).read_bytes())
    manifest["layers"][0]["size"] = size
    layout.manifests.clear()
    layout.add(manifest)
    assert said in refused(store, layout.path)


def test_a_layer_that_is_not_the_configs_is_a_digest_mismatch(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f", b"x"))], diff_ids=["sha256:" + "0" * 64])
    assert "digest mismatch" in refused(store, layout.path)


@pytest.mark.parametrize("digest", ["sha256:../../../../etc/passwd", "md5:" + "0" * 32, "sha256:" + "A" * 64, ""])
def test_a_digest_that_is_none_never_becomes_a_path(digest: str, store: ImageStore, layout: Layout) -> None:
    descriptor = layout.image([layout.tar(layout.entry("f", b"x"))])
    manifest = json.loads(layout.blob_path(descriptor).read_bytes())
    manifest["config"]["digest"] = digest
    layout.manifests.clear()
    layout.add(manifest)
    assert "is not a sha256 digest" in refused(store, layout.path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no tar at all, but longer than a block of one. " * 20, "no tar archive"),
        (b"\x1f\x8b\x08\x00garbage garbage garbage", "damaged"),
        (b"\x28\xb5\x2f\xfd rest", "zstd"),
        (b"BZh9 rest", "bzip2"),
    ],
)
def test_a_layer_that_is_no_archive_is_refused(content: bytes, said: str, *, store: ImageStore, layout: Layout) -> None:
    layout.image([content])
    assert said in refused(store, layout.path)


def test_garbage_between_a_layers_entries_is_refused(store: ImageStore, layout: Layout) -> None:
    first, second = layout.tar(layout.entry("a")), layout.tar(layout.entry("b"))
    layout.image([first[:512] + b"garbage " * 64 + second])
    assert "an entry that is none" in refused(store, layout.path)


@pytest.mark.parametrize("cut", [lambda whole: whole[:3000], lambda whole: gzip.compress(whole)[:-12]])
def test_a_truncated_layer_is_refused(cut: Callable[[bytes], bytes], store: ImageStore, layout: Layout) -> None:
    whole = layout.tar(layout.entry("f", b"x" * 5000))
    layout.image([cut(whole)])
    assert "too early" in refused(store, layout.path)


def test_a_header_that_would_fill_the_memory_is_refused(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f", pax_headers={"comment": "x" * (1 << 19)}))])
    assert "header that is too large" in refused(store, layout.path)


def test_a_layer_with_endless_padding_is_refused(store: ImageStore, layout: Layout) -> None:
    whole = layout.tar(layout.entry("f", b"x"))
    layout.image([whole + bytes(1 << 25)], compress=True)
    assert "too much behind its end" in refused(store, layout.path)
    layout.manifests.clear()
    layout.image([whole + bytes(1 << 20)], compress=True)
    import_path(store, str(layout.path))


def test_a_layer_larger_than_the_disk_is_refused_before_it_is_unpacked(layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "layer").write_bytes(layout.tar(layout.entry("a", b"x" * 600), layout.entry("b", b"x" * 600)))
    with pytest.raises(ImageError, match="8,192 bytes or more"):
        inspect_layer(str(tmp_path / "layer"), "test", room=Room(bytes=8191))
    assert inspect_layer(str(tmp_path / "layer"), "test", room=Room(bytes=8192)).taken == Room(8192, 2)


@pytest.mark.parametrize(
    ("names", "files"),
    [
        (("a", "b"), 2),
        (("d/e/f", "d/e/g", "d/h"), 5),
        (("d/", "d/e/", "d/e/f"), 3),
        (("d/e", "x", "d/f"), 5),
    ],
)
def test_files_are_counted_with_the_directories_that_they_bring(
    layout: Layout, tmp_path: Path, names: tuple[str, ...], files: int
) -> None:
    plain = [layout.entry(name, b"", type=tarfile.DIRTYPE if name.endswith("/") else tarfile.REGTYPE) for name in names]
    (tmp_path / "layer").write_bytes(layout.tar(*plain))
    assert inspect_layer(str(tmp_path / "layer"), "test", room=Room()).taken.files == files
    with pytest.raises(ImageError, match="inodes"):
        inspect_layer(str(tmp_path / "layer"), "test", room=Room(files=files - 1))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("index.json", "{", "not a valid image index"),
        ("index.json", '{"manifests": 5}', "not a valid image index"),
        ("index.json", "[" * 100000, "not a valid image index"),
        ("index.json", '{"manifests": []}', "lists no image"),
        ("index.json", '{"manifests": null}', "lists no image"),
    ],
)
def test_an_index_that_is_none_is_refused(
    name: str, content: str, said: str, *, store: ImageStore, layout: Layout
) -> None:
    (layout.path / name).write_text(content)
    assert said in refused(store, layout.path)


def test_a_missing_blob_is_named(store: ImageStore, layout: Layout) -> None:
    descriptor = layout.image([layout.tar(layout.entry("f", b"x"))])
    layout.blob_path(descriptor).unlink()
    assert str(descriptor["digest"]) in refused(store, layout.path)


def test_a_blob_that_is_a_pipe_does_not_block(store: ImageStore, layout: Layout) -> None:
    place = layout.blob_path(layout.image([layout.tar(layout.entry("f", b"x"))]))
    place.unlink()
    os.mkfifo(place)
    assert "no regular file" in refused(store, layout.path)


def test_indexes_that_contain_each_other_end(store: ImageStore, layout: Layout) -> None:
    inner: dict[str, object] = {"digest": "sha256:" + "0" * 64, "size": 2}
    for _ in range(6):
        inner = layout.add({"schemaVersion": 2, "manifests": [inner]}, "", "application/vnd.oci.image.index.v1+json")
    layout.manifests[:] = [inner]
    layout.write_index()
    assert "nested too deep" in refused(store, layout.path)


@pytest.mark.parametrize("path", ["missing", "empty", "text", "directory", "fifo", "archive"])
def test_what_is_no_image_at_all_is_refused(path: str, store: ImageStore, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("not an image")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    with tarfile.open(tmp_path / "archive", "w:") as archive:
        archive.add(tmp_path / "text", "text")
    refused(store, tmp_path / path)


@pytest.mark.parametrize("name", ["etc/passwd", "etc/group"])
@pytest.mark.parametrize(
    "wrong",
    [
        ({"type": tarfile.FIFOTYPE}, b"", "no regular file"),
        ({"type": tarfile.DIRTYPE}, b"", "no regular file"),
        ({}, b"x\n" * (1 << 20), "larger than"),
        ({}, b"x" * (1 << 20), "a line of"),
    ],
    ids=["pipe", "directory", "huge", "long line"],
)
def test_a_user_file_that_no_runtime_could_read_is_refused(
    name: str, wrong: tuple[dict[str, object], bytes, str], store: ImageStore, layout: Layout
) -> None:
    fields, content, said = wrong
    layout.image([layout.tar(layout.entry(name, content, fields))])
    assert said in refused(store, layout.path)


def test_a_user_files_link_that_leads_nowhere_means_no_users(store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("etc/passwd", type=tarfile.SYMTYPE, linkname="nowhere"))])
    (image,) = import_path(store, str(layout.path))
    assert store.load(store.resolve(image.id)).passwd == ()


def test_a_user_files_link_is_followed_inside_the_image_only(store: ImageStore, layout: Layout, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("host:x:7:7::/:\n")
    layout.image(
        [
            layout.tar(
                layout.entry("usr/passwd", b"inside:x:5:6::/home:\n"),
                layout.entry("etc/passwd", type=tarfile.SYMTYPE, linkname="/../../usr/passwd"),
                layout.entry("etc/group", type=tarfile.SYMTYPE, linkname=str(tmp_path / "secret")),
            )
        ]
    )
    import_path(store, str(layout.path))
    image = store.load(store.resolve("test:1"))
    assert [(user.name, user.uid, user.gid, user.line) for user in image.passwd] == [("inside", 5, 6, 1)]
    assert image.group == ()


def test_devices_that_came_past_the_first_look_are_found_after_unpacking(tmp_path: Path) -> None:
    (tmp_path / "root/a/b").mkdir(parents=True)
    unpack.check(str(tmp_path / "root"), "test")
    os.mknod(tmp_path / "root/a/b/null", 0o20666, os.makedev(1, 3))
    with pytest.raises(ImageError, match=r"/a/b/null.*device"):
        unpack.check(str(tmp_path / "root"), "test")


def test_trusted_attributes_that_came_past_the_first_look_are_found_after_unpacking(tmp_path: Path) -> None:
    (tmp_path / "root/a").mkdir(parents=True)
    os.setxattr(tmp_path / "root/a", "trusted.overlay.opaque", b"y")
    with pytest.raises(ImageError, match="trusted"):
        unpack.check(str(tmp_path / "root"), "test")


def test_a_tree_too_deep_for_recursion_is_taken_and_removed(store: ImageStore, layout: Layout) -> None:
    from podward.runtime.images.removal import remove

    layout.image([layout.tar(layout.entry("/".join("d" * 1500), type=tarfile.DIRTYPE))])
    import_path(store, str(layout.path))
    remove(store, ("test:1",))
    assert os.listdir(f"{store.directory}/rootfs") == os.listdir(f"{store.directory}/{WORK_DIRECTORY}") == []


def test_an_image_for_another_machine_is_refused(store: ImageStore, layout: Layout) -> None:
    inner = layout.image([layout.tar(layout.entry("f", b"x"))])
    inner["platform"] = {"os": "linux", "architecture": "s390x"}
    layout.manifests.clear()
    layout.add({"schemaVersion": 2, "manifests": [inner]}, "x:1", "application/vnd.oci.image.index.v1+json")
    message = refused(store, layout.path)
    assert f"nothing for linux/{machine.architecture()}" in message
    assert "it has linux/s390x" in message


@pytest.mark.parametrize("reference", ["Upper:1", "a b/c:1", "x:" + "t" * 200])
def test_a_name_that_is_none_in_an_archive_is_refused(reference: str, store: ImageStore, layout: Layout) -> None:
    layout.image([layout.tar(layout.entry("f", b"x"))], reference)
    assert "is not an image's name" in refused(store, layout.path)


def test_every_refusal_is_podwards_own_error(store: ImageStore, layout: Layout) -> None:
    """A sample of damage: whatever byte of a layer's headers changes, the error is one of ours."""
    good = layout.tar(
        layout.entry("d", type=tarfile.DIRTYPE),
        layout.entry("d/f", b"x" * 100),
        layout.entry("l", type=tarfile.SYMTYPE, linkname="d"),
    )
    refusals = 0
    for position in range(0, 2048, 61):
        layer = bytearray(good)
        layer[position] ^= 0x15
        layout.manifests.clear()
        layout.image([bytes(layer)], f"test:{position}")
        try:
            import_path(store, str(layout.path))
        except PodwardError:
            refusals += 1
    assert refusals > 10
