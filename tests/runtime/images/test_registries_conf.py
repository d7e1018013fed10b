"""`registries.conf`: which places are asked for an image, in which order."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.api.reference import Reference, parse
from podward.errors import ImageError, InputError
from podward.runtime.images.registries_conf import Mirror, Registry, endpoints, read_registries

CLUSTER = """
unqualified-search-registries = ["docker.io"]
[[registry]]
prefix = "registry.k8s.io"
location = "registry.k8s.io"
[[registry.mirror]]
location = "127.0.0.1:5000"
insecure = true
[[registry.mirror]]
location = "mirror.example.com/k8s"
[[registry]]
location = "quay.io/private"
blocked = true
[[registry]]
prefix = "*.example.org"
[[registry.mirror]]
location = "cache.example.com/org"
[[registry]]
prefix = "docker.io"
[[registry.mirror]]
location = "digests.example.com"
pull-from-mirror = "digest-only"
[[registry.mirror]]
location = "tags.example.com"
pull-from-mirror = "tag-only"
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    place = tmp_path / "registries.conf"
    place.write_text(CLUSTER)
    return place


def asked(file: Path, name: str) -> list[str]:
    return [each.name for each in endpoints(read_registries(str(file)), parse(name))]


DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("name", "places"),
    [
        (
            "registry.k8s.io/e2e/busybox:1",
            ["127.0.0.1:5000/e2e/busybox", "mirror.example.com/k8s/e2e/busybox", "registry.k8s.io/e2e/busybox"],
        ),
        ("registry.k8s.io.example.com/a", []),
        ("team.example.org/a/b", ["cache.example.com/org/a/b", "team.example.org/a/b"]),
        ("team.example.org:8443/a", ["cache.example.com/org/a", "team.example.org:8443/a"]),
        ("example.org/a", []),
        ("alpine:3", ["tags.example.com/library/alpine", "registry-1.docker.io/library/alpine"]),
        (f"alpine@{DIGEST}", ["digests.example.com/library/alpine", "registry-1.docker.io/library/alpine"]),
    ],
)
def test_mirrors_come_in_their_order_and_the_registry_last(name: str, places: list[str], file: Path) -> None:
    assert asked(file, name) == places


def test_a_mirror_may_go_without_tls_where_it_says_so(file: Path) -> None:
    insecure, other, own = endpoints(read_registries(str(file)), parse("registry.k8s.io/a"))
    assert (insecure.schemes, insecure.verify, insecure.mirror_of) == (("https", "http"), False, "registry.k8s.io")
    assert (other.schemes, other.verify, other.mirror_of) == (("https",), True, "registry.k8s.io")
    assert (own.schemes, own.mirror_of) == (("https",), "")


def test_a_blocked_registry_is_refused(file: Path) -> None:
    with pytest.raises(ImageError, match=r"quay\.io/private: this registry is blocked"):
        asked(file, "quay.io/private/app")
    assert asked(file, "quay.io/privateer/app") == []


def test_the_longest_prefix_wins() -> None:
    registries = (
        Registry(prefix="a.io", location="short.io"),
        Registry(prefix="a.io/team", location="long.io/x"),
        Registry(prefix="a.io/team/app", blocked=True),
    )
    assert [each.name for each in endpoints(registries, parse("a.io/team/other"))] == ["long.io/x/other"]
    assert [each.name for each in endpoints(registries, parse("a.io/app"))] == ["short.io/app"]
    with pytest.raises(ImageError, match="blocked"):
        endpoints(registries, parse("a.io/team/app:1"))


def test_drop_ins_add_and_replace_in_the_order_of_their_names(file: Path) -> None:
    directory = file.parent / "registries.conf.d"
    directory.mkdir()
    (directory / "20.conf").write_text('[[registry]]\nprefix = "registry.k8s.io"\nlocation = "second.io"\n')
    (directory / "10.conf").write_text('[[registry]]\nlocation = "registry.k8s.io"\nblocked = true\n')
    (directory / "30.txt").write_text("nothing of ours")
    assert asked(file, "registry.k8s.io/a") == ["second.io/a"]
    assert asked(file, "team.example.org/a")


def test_without_a_file_nothing_is_configured(tmp_path: Path) -> None:
    assert read_registries(str(tmp_path / "none.conf")) == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[registry]\n", "can't be read"),
        ("[[registry]]\nlocation = 5\n", "can't be read"),
        ('[[registry]]\nlocation = "a.io"\nblockd = true\n', "blockd"),
        ("[[registry]]\nblocked = true\n", "neither prefix nor location"),
        ('[registries.block]\nregistries = ["a.io"]\n', "format 1"),
        ('[[registry]]\nlocation = "https://a.io"\n', "not HOST"),
        (
            '[[registry]]\nlocation = "a.io"\n[[registry.mirror]]\nlocation = "b.io"\npull-from-mirror = "digests"\n',
            "pull-from-mirror",
        ),
    ],
)
def test_a_file_that_is_wrong_is_no_file_without_rules(text: str, said: str, file: Path) -> None:
    file.write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        read_registries(str(file))
    assert caught.value.advice


NAMES = st.lists(st.sampled_from(["a", "b", "team", "app"]), min_size=1, max_size=4).map("/".join)


@given(NAMES, NAMES, st.sampled_from(["m.io", "m.io/x", "127.0.0.1:5000"]))
def test_only_the_prefix_is_replaced(prefix: str, path: str, location: str) -> None:
    registries = (Registry(prefix=f"r.io/{prefix}", mirrors=(Mirror(location=location),)),)
    if path == prefix and "/" not in location:
        with pytest.raises(InputError, match="names a registry, and no image in it"):
            endpoints(registries, Reference("r.io", path, tag="1"))
        return
    found = endpoints(registries, Reference("r.io", path, tag="1"))
    if path == prefix or path.startswith(f"{prefix}/"):
        assert [each.name for each in found] == [location + path.removeprefix(prefix), f"r.io/{path}"]
    else:
        assert found == ()
