"""How mounts spread, as crun 1.8 and runc 1.1 were seen to make it."""

from __future__ import annotations

import pytest

from podward.api.oci import Mount
from podward.policy.kernel.propagation import Surroundings, covering, has_peers, on_root, predict

NEW = None


def predicted(runtime: str, root: str, source: str | None, *options: str, user_namespace: bool = False) -> str:
    mount = Mount("/d", "bind", "/s", ("rbind", *options)) if source is not None else Mount("/d", "tmpfs")
    return predict(mount, source, Surroundings(runtime, root, user_namespace))


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
        ("rshared", "private", ("rslave",), "shared", "private"),
        ("rshared", "private", ("rslave", "bind"), "shared slave", "slave"),
        ("rshared", "alone", ("rslave", "bind"), "shared", "private"),
        ("rshared", "private", ("rprivate",), "shared", "private"),
        ("rshared", NEW, (), "shared", "private"),
        ("shared", "shared", ("rprivate",), "private", "private"),
        ("shared", "shared", ("rslave",), "slave", "slave"),
        ("shared", "shared", (), "shared", "shared"),
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
        assert predict(mount, "private", around, copied_to_peers=True) == expected
        assert predict(Mount("/d/below", "tmpfs"), NEW, around, copied_to_peers=True) == "shared"


@pytest.mark.parametrize(
    ("source", "options", "peers"),
    [
        ("shared", ("rshared",), True),
        ("shared", (), True),
        ("shared", ("rslave",), False),
        ("shared", ("rslave", "rshared"), False),
        ("private", ("rshared",), False),
        (NEW, (), False),
    ],
)
def test_only_what_is_shared_at_its_source_has_peers(
    source: str | None, options: tuple[str, ...], *, peers: bool
) -> None:
    mount = Mount("/d", "bind", "/s", ("rbind", *options))
    assert has_peers(mount, source, Surroundings("crun", "rshared", False)) is peers
