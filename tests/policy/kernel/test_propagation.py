"""How mounts spread, as crun 1.8 and runc 1.1 were seen to make it."""

from __future__ import annotations

import pytest

from podward.api.oci import Linux, Mount, Namespace, Process, Root, RuntimeSpec
from podward.api.process import MountState
from podward.policy.kernel.propagation import (
    Copies,
    MountSource,
    Source,
    Surroundings,
    among,
    copies,
    covering,
    on_root,
    predict,
    text,
)

NEW = None


def source_of(words: str) -> MountSource:
    """A source of which these words are true."""
    said = frozenset(words.split())
    spread = text(said & {"shared", "slave"})
    return MountSource("/d", propagation=spread, is_inside="inside" in said, is_alone="alone" in said)


def words_of(source: MountSource) -> str:
    said = (("inside", source.is_inside), ("alone", source.is_alone))
    return " ".join([source.propagation, *(word for word, true in said if true)])


def predicted(runtime: str, root: str, source: str | None, *options: str, user_namespace: bool = False) -> str:
    mount = Mount("/d", "bind", "/s", ("rbind", *options)) if source is not None else Mount("/d", "tmpfs")
    seen = NEW if source is NEW else source_of(source)
    return predict(mount, seen, Surroundings(runtime, root, user_namespace))


@pytest.mark.parametrize(
    ("root", "source", "options", "crun", "runc"),
    [
        ("", "shared", ("rprivate",), "private", "private"),
        ("", "shared", ("rslave",), "private", "slave"),
        ("", "shared", ("rshared",), "private", "shared slave"),
        ("", "slave", ("rslave",), "private", "slave"),
        ("", "shared", (), "private", "slave"),
        ("", "private", (), "private", "private"),
        ("", NEW, (), "private", "private"),
        ("rslave", "shared", ("rprivate",), "private", "private"),
        ("rslave", "shared", ("rslave",), "slave", "slave"),
        ("rslave", "slave", (), "slave", "slave"),
        ("rslave", "private", ("rslave",), "private", "private"),
        ("rslave", "private", ("rshared",), "private", "shared"),
        ("rshared", "shared", ("rprivate",), "shared", "private"),
        ("rshared", "shared", ("rslave",), "shared slave", "slave"),
        ("rshared", "shared", ("rshared",), "shared", "shared"),
        ("rshared", "slave", ("rprivate",), "shared", "private"),
        ("rshared", "slave", (), "shared slave", "shared slave"),
        ("rshared", "private", (), "shared", "shared"),
        ("rshared", "private", ("rslave",), "shared slave", "slave"),
        ("rshared", "private alone", ("rslave",), "shared", "private"),
        ("rshared", "private", ("rprivate",), "shared", "private"),
        ("rshared", NEW, (), "shared", "private"),
        ("shared", "shared", ("rprivate",), "private", "private"),
        ("shared", "shared", ("rslave",), "slave", "slave"),
        ("shared", "shared", (), "shared", "shared"),
        ("shared", "shared inside alone", ("rslave",), "private", "private"),
        ("shared", "shared inside alone", ("rshared",), "shared", "shared"),
        ("shared", "shared inside alone", (), "shared", "shared"),
        ("shared", NEW, (), "private", "private"),
    ],
)
def test_mounts_of_the_machines_user_namespace(
    root: str, source: str | None, options: tuple[str, ...], crun: str, runc: str
) -> None:
    assert (predicted("crun", root, source, *options), predicted("runc", root, source, *options)) == (crun, runc)


@pytest.mark.parametrize(
    ("root", "source", "option", "crun", "runc"),
    [
        ("rslave", "shared", "rshared", "slave", "shared slave"),
        ("rshared", "shared", "rprivate", "shared", "private"),
        ("rshared", "shared", "rslave", "shared slave", "slave"),
        ("rshared", "shared", "rshared", "shared", "shared slave"),
        ("rshared", "private", "rslave", "shared", "private"),
        ("rslave", "slave", "rslave", "slave", "slave"),
    ],
)
def test_mounts_of_another_user_namespace(root: str, source: str, option: str, crun: str, runc: str) -> None:
    seen = tuple(predicted(runtime, root, source, option, user_namespace=True) for runtime in ("crun", "runc"))
    assert seen == (crun, runc)


def test_what_covers_a_path_is_a_new_mount() -> None:
    assert covering(Surroundings("crun", "rshared", False)) == "shared"
    assert covering(Surroundings("runc", "rshared", False)) == "private"


@pytest.mark.parametrize(
    ("state", "root", "then"),
    [
        ("private", "shared", "shared"),
        ("slave", "shared", "shared slave"),
        ("shared", "slave", "slave"),
        ("private", "slave", "private"),
        ("shared", "private", "private"),
        ("private", "rshared", "private"),
        ("slave", "", "slave"),
    ],
)
def test_the_root_mount_alone_is_changed_where_the_roots_propagation_is_not_recursive(
    state: str, root: str, then: str
) -> None:
    assert on_root(state, root) == then


@pytest.mark.parametrize(
    ("option", "crun", "runc"), [("rprivate", "shared", "private"), ("rslave", "shared slave", "slave")]
)
def test_what_is_mounted_in_a_mount_with_peers_has_them_too(option: str, crun: str, runc: str) -> None:
    mount = Mount("/d/below", "bind", "/private", ("rbind", option))
    for runtime, expected in (("crun", crun), ("runc", runc)):
        around = Surroundings(runtime, "rshared", False)
        assert predict(mount, source_of("private"), around, Copies.OUTSIDE) == expected
        assert predict(Mount("/d/below", "tmpfs"), NEW, around, Copies.OUTSIDE) == "shared"


@pytest.mark.parametrize("source", ["private", "private alone"])
def test_copies_inside_of_the_container_are_no_masters_for_long(source: str) -> None:
    mount = Mount("/d/below", "bind", "/private", ("rbind", "rslave"))
    for root, user_namespace in (("rshared", True), ("shared", source == "private")):
        around = Surroundings("runc", root, user_namespace)
        assert predict(mount, source_of(source), around, Copies.INSIDE) == "private"
        assert predict(mount, source_of(source), around, Copies.OUTSIDE) == "slave"


# --- the sources of a container's mounts, among each other ------------------------------------------------------------


def sources(root: str, *mounts: Mount, namespaces: tuple[Namespace, ...] = ()) -> dict[str, str]:
    """How mounts spread at their sources: /volume is a shared mount of its own, all else is on the private root."""
    linux = Linux(namespaces=namespaces, rootfs_propagation=root)
    spec = RuntimeSpec(oci_version="1.2.0", process=Process(), root=Root(), mounts=mounts, linux=linux)
    held = [
        Source(MountState(m.destination, propagation="shared"), 2)
        if m.source == "/volume"
        else Source(MountState(m.destination), 1, is_root=True)
        for m in mounts
    ]
    return {source.destination: words_of(source) for source in among(spec, held)}


def bind(place: str, source: str, *options: str) -> Mount:
    return Mount(place, "bind", source, ("rbind", *options))


@pytest.mark.parametrize(
    ("root", "then"), [("shared", "shared inside alone"), ("rshared", "private alone"), ("", "private alone")]
)
def test_the_root_that_was_private_has_no_peer_but_mounts_of_the_container(root: str, then: str) -> None:
    more = bind("/more", "/disk", "rslave")
    assert sources(root, bind("/data", "/volume", "rshared"), more)["/more"] == then
    assert sources(root, bind("/etc/hosts", "/hosts", "rprivate"), more)["/more"] == then
    accompanied = then.removesuffix(" alone")
    assert sources(root, bind("/etc/hosts", "/hosts"), more)["/more"] == accompanied


@pytest.mark.parametrize(
    ("holder", "namespaces", "then"),
    [
        (("rshared",), (), "shared inside"),
        (("rslave",), (), "shared inside alone"),
        (("rshared",), (Namespace("user"),), "shared inside alone"),
    ],
)
def test_a_copy_that_appears_outside_of_the_container_stays_a_peer(
    holder: tuple[str, ...], namespaces: tuple[Namespace, ...], then: str
) -> None:
    mounts = (
        bind("/data", "/volume", *holder),
        bind("/home", "/disk", "rslave"),
        bind("/data/below", "/local", "rprivate"),
    )
    assert sources("shared", *mounts, namespaces=namespaces)["/home"] == then


@pytest.mark.parametrize(
    ("source", "options", "where"),
    [
        ("shared", ("rshared",), Copies.OUTSIDE),
        ("shared", (), Copies.OUTSIDE),
        ("shared inside", (), Copies.INSIDE),
        ("shared inside alone", ("rshared",), Copies.INSIDE),
        ("shared", ("rslave",), Copies.NOWHERE),
        ("shared", ("rslave", "rshared"), Copies.NOWHERE),
        ("private", ("rshared",), Copies.NOWHERE),
        (NEW, (), Copies.NOWHERE),
    ],
)
def test_only_what_is_shared_at_its_source_has_peers(
    source: str | None, options: tuple[str, ...], where: Copies
) -> None:
    mount = Mount("/d", "bind", "/s", ("rbind", *options))
    seen = NEW if source is NEW else source_of(source)
    assert copies(mount, seen, Surroundings("crun", "rshared", False)) is where


def test_peers_are_inside_where_runc_makes_the_mount_in_a_user_namespace() -> None:
    mount = Mount("/d", "bind", "/s", ("rbind", "rshared"))
    found = [copies(mount, source_of("shared"), Surroundings(runtime, "rshared", True)) for runtime in ("crun", "runc")]
    assert found == [Copies.OUTSIDE, Copies.INSIDE]
