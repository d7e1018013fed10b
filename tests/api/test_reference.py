"""Names of images. Expected values are what github.com/distribution/reference v0.6 makes of these names."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proofs import examples

from podward.api.reference import Reference, parse
from podward.errors import ImageError

DIGEST = "sha256:" + "0123456789abcdef" * 4

LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
DOMAIN = rf"(?:{LABEL}(?:\.{LABEL})*|\[[a-fA-F0-9:]*:[a-fA-F0-9:]*\])(?::[0-9]+)?"
PART = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
GRAMMAR = re.compile(
    rf"(?:{DOMAIN}/)?{PART}(?:/{PART})*(?::[A-Za-z0-9_][A-Za-z0-9_.-]{{0,127}})?(?:@sha256:[a-f0-9]{{64}})?"
)
"""The grammar as that library writes it down (an address must have a colon to be taken for a domain): an independent
statement of what the parser does by hand."""


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("busybox", "docker.io/library/busybox:latest"),
        ("busybox:root", "docker.io/library/busybox:root"),
        ("team/app", "docker.io/team/app:latest"),
        ("docker.io/busybox", "docker.io/library/busybox:latest"),
        ("index.docker.io/busybox:1", "docker.io/library/busybox:1"),
        ("localhost/app", "localhost/app:latest"),
        ("localhost:5000/app", "localhost:5000/app:latest"),
        ("registry.k8s.io/e2e-test-images/agnhost:2.45", "registry.k8s.io/e2e-test-images/agnhost:2.45"),
        ("LOCAL/app", "LOCAL/app:latest"),
        ("[::1]:5000/app:1", "[::1]:5000/app:1"),
        ("a__b/c--d.e_f:T.a-G_1", "docker.io/a__b/c--d.e_f:T.a-G_1"),
        (f"busybox@{DIGEST}", f"docker.io/library/busybox@{DIGEST}"),
        (f"busybox:1@{DIGEST}", f"docker.io/library/busybox@{DIGEST}"),
    ],
)
def test_a_name_is_completed_as_runtimes_complete_it(name: str, whole: str) -> None:
    assert str(parse(name)) == whole


@pytest.mark.parametrize(
    "name",
    [
        "", ":", "/", "@", ":tag", "a:", "a:b:c", "a@b", "a@sha256:12", f"a@{DIGEST.upper()}", "Busybox", "a/B", "a//b",
        "/a", "a/", "a_-b", "a..b", "a___b", "-a", "a-", ".a", "a b", "a\nb", "ä", "a:ä", "a:.b", "a:-b",
        "a:" + "t" * 129, "-x.y/a", "x-.y/a", "x:/a", "x:1:2/a", "[]/a", "[::1/a", "[g]/a", "0123456789abcdef" * 4,
        "x.y/" + "a" * 252,
        "a\0b", "x:port/a", "a@" + DIGEST + "@" + DIGEST,
    ],
)  # fmt: skip
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(ImageError, match="is not an image's name"):
        parse(name)


def test_a_familiar_name_leaves_out_what_goes_without_saying() -> None:
    assert parse("busybox").familiar == "busybox"
    assert parse("team/app").familiar == "team/app"
    assert parse("localhost/app").familiar == "localhost/app"
    assert parse("docker.io/library/a/b").familiar == "library/a/b"


@settings(max_examples=examples(20, 100))
@given(st.from_regex(GRAMMAR, fullmatch=True))
def test_every_name_of_the_grammar_is_read_and_its_whole_form_means_itself(name: str) -> None:
    try:
        found = parse(name)
    except ImageError as error:
        said = ("lower case", "longer than", "hexadecimal digits are an image's id")
        # The library takes `a_b.c/d` for a name without any domain; here it is refused.
        odd = "." in name.partition("/")[0] and not re.fullmatch(DOMAIN, name.partition("/")[0])
        assert odd or any(why in error.what for why in said)  # noqa: PT017
        return
    assert parse(str(found)) == found
    assert bool(found.tag) != bool(found.digest)
    assert parse(f"{found.familiar}:x").repository == found.repository


@given(st.text(alphabet="aB0:/@._-[]é \n", max_size=12))
def test_nothing_beyond_the_grammar_is_read(name: str) -> None:
    try:
        found = parse(name)
    except ImageError:
        return
    assert GRAMMAR.fullmatch(name)
    assert isinstance(found, Reference)
