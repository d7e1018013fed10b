"""The page: every value leads to its source and back, and nothing in it runs or is loaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from proofs import examples

from podward.render.explain import html
from podward.render.explain.cited_sources import AROUND, WHOLE
from podward.render.explain.row_types import PodRows
from podward.render.html_page import CONTENT_SECURITY_POLICY

MakePod = Callable[..., PodRows]
FILE = "dir/pod.yaml"
MANIFEST = "kind: Pod\ncontainers:\n  runAsUser: 1000\n  groups: [4000]\n  capabilities:\n  volumes:\n"
GROUP = "root:x:0:\nimplied:x:50000:me\n"
VOID = {"meta"}


class Page(HTMLParser):
    """Elements with their attributes, text by the id of the innermost element that has one, and whether tags match."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.inside: dict[str, str] = {}
        self._open: list[tuple[str, str | None]] = []
        self.feed(content)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append((tag, dict(attrs).get("id")))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        place = next((identity for _, identity in reversed(self._open) if identity), "")
        self.inside[place] = self.inside.get(place, "") + data

    @property
    def ids(self) -> list[str]:
        return [identity for _, attributes in self.elements if (identity := attributes.get("id"))]

    @property
    def links(self) -> list[str]:
        return [link for tag, attributes in self.elements if tag == "a" and (link := attributes.get("href"))]


def page(pod: PodRows, manifest: str = MANIFEST) -> Page:
    return Page(html.render((pod,), {FILE: manifest, "img:1 /etc/group": GROUP}))


def test_every_link_leads_to_a_place_in_the_page_and_every_place_is_there_once(make_pod: MakePod) -> None:
    shown = page(make_pod(containers=3, refused="oci"))
    assert len(shown.ids) == len(set(shown.ids))
    assert {link.removeprefix("#") for link in shown.links} <= set(shown.ids)
    assert all(link.startswith("#") for link in shown.links)


def test_a_value_leads_to_the_line_that_decided_it_and_the_line_leads_back(make_pod: MakePod) -> None:
    shown = page(make_pod())
    assert "#d0-3" in shown.links
    assert "runAsUser: 1000" in shown.inside["d0-3"]
    assert "c0 user" in shown.inside["d0-3"]
    assert "#d1-2" in shown.links
    assert "implied:x:50000:me" in shown.inside["d1-2"]


def test_a_source_without_text_is_a_card(make_pod: MakePod) -> None:
    shown = page(make_pod())
    card = next(
        identity for identity, text in shown.inside.items() if identity.startswith("s") and "containerd 2.2" in text
    )
    assert f"#{card}" in shown.links
    assert "caps effective" in shown.inside[card]


def test_a_line_that_the_text_at_hand_does_not_have_is_a_card(make_pod: MakePod) -> None:
    shown = page(make_pod(), manifest="kind: Pod\n")
    assert "#d0-3" not in shown.links
    assert any(f"{FILE}:3" in shown.inside[link.removeprefix("#")] for link in shown.links)


def test_aiming_at_a_line_marks_what_it_decided(make_pod: MakePod) -> None:
    content = html.render((make_pod(),), {FILE: MANIFEST})
    found = re.search(r"body:has\(#d0-3:target\) path\.(k\d+)\{", content)
    assert found
    assert len(re.findall(rf'<path [^>]*class="[^"]*\b{found[1]}\b', content)) >= 4  # chips' curves and the lanes


@pytest.mark.proof
@settings(deadline=None, max_examples=examples(25, 60))
@given(st.text(max_size=80) | st.sampled_from(["</style><script>alert(1)</script>", '"onclick=x ', "--></code>"]))
def test_no_text_from_outside_adds_an_element_or_an_attribute(make_pod: MakePod, hostile: str) -> None:
    shown = Page(html.render((make_pod(hostile),), {FILE: MANIFEST + hostile, f"x{hostile}": hostile}))
    plain = Page(html.render((make_pod("harmless"),), {FILE: MANIFEST, "x": "harmless"}))
    assert {tag for tag, _ in shown.elements} <= {tag for tag, _ in plain.elements} | {"span"}
    assert {a for _, attrs in shown.elements for a in attrs} == {a for _, attrs in plain.elements for a in attrs}
    policies = [attrs for tag, attrs in shown.elements if tag == "meta" and "http-equiv" in attrs]
    assert [policy["content"] for policy in policies] == [CONTENT_SECURITY_POLICY]
    assert len([tag for tag, _ in shown.elements if tag == "style"]) == 1


def test_nothing_is_loaded_and_nothing_runs(make_pod: MakePod) -> None:
    content = html.render((make_pod(),), {FILE: MANIFEST}).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|url\(|@import|src=|<script|<link|<img|<iframe|<object|<form|\bon\w+=", content)
    assert "default-src 'none'" in content


def test_the_policy_comes_before_anything_from_outside(make_pod: MakePod) -> None:
    content = html.render((make_pod("OUTSIDE"),), {FILE: MANIFEST})
    assert content.index("Content-Security-Policy") < content.index("OUTSIDE")


@pytest.mark.parametrize("lines", [WHOLE, WHOLE + 100, 100_000])
def test_of_a_long_file_only_what_is_around_cited_lines_is_shown(make_pod: MakePod, lines: int) -> None:
    shown = page(make_pod(), manifest=MANIFEST + "more: 1\n" * (lines - 6))
    uncited = [tag for tag, attributes in shown.elements if tag == "li" and "id" not in attributes]
    rest = lines - 6 if lines <= WHOLE else AROUND + 1  # the first six are cited; `…` stands for what is left out
    assert len(uncited) == rest + 1  # one of the image's file


def test_a_long_line_is_cut(make_pod: MakePod) -> None:
    content = html.render((make_pod(),), {FILE: MANIFEST + "x" * 1_000_000})
    assert len(content) < 200_000


def test_both_regions_can_be_scrolled_with_the_keyboard_and_have_names(make_pod: MakePod) -> None:
    regions = [attributes for tag, attributes in page(make_pod()).elements if tag in {"main", "aside"}]
    assert [region.get("tabindex") for region in regions] == ["0", "0"]
    assert all(region.get("aria-label") for region in regions)


def test_several_containers_have_a_list_of_links_to_them(make_pod: MakePod) -> None:
    assert {"#p0c0", "#p0c1", "#p0c2"} <= set(page(make_pod(containers=3)).links)


def test_twenty_containers_stay_small(make_pod: MakePod) -> None:
    assert len(html.render((make_pod(containers=20),), {FILE: MANIFEST}).encode()) < 1_000_000
