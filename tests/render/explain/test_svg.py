"""The picture: well-formed, complete, inert, and of bounded size."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from podward.decision import Origin
from podward.render import colours, escaping
from podward.render.explain import picture_layout, svg
from podward.render.explain.row_types import PodRows

MakePod = Callable[..., PodRows]

HOSTILE = [
    "<script>alert(1)</script>",
    "]]><!--",
    '"onload="alert(1)',
    "'/><a href='http://evil'>",
    "&lt;&amp;",
    "\x00\x1b[31m\x7f\x85",
    "\ud800\ufffe",
    "\u202egnp.exe",
]


def texts(drawn: str) -> list[str]:
    """All text of the picture, tool tips too; raises where it is no well-formed XML."""
    root = ET.fromstring(drawn.encode())  # noqa: S314 (our own output, and a test that says what it may hold)
    return [element.text for element in root.iter() if element.text and not element.tag.endswith("style")]


def shape(drawn: str) -> list[tuple[str, tuple[str, ...]]]:
    """The elements and the names of their attributes."""
    root = ET.fromstring(drawn.encode())  # noqa: S314
    return [(element.tag, tuple(element.attrib)) for element in root.iter()]


@settings(deadline=None, max_examples=60)
@given(st.text() | st.sampled_from(HOSTILE))
def test_no_text_from_outside_adds_an_element_or_an_attribute(make_pod: MakePod, hostile: str) -> None:
    drawn = svg.render((make_pod(hostile),))
    assert {name for name, _ in shape(drawn)} == {name for name, _ in shape(svg.render((make_pod("harmless"),)))}
    assert {a for _, a in shape(drawn)} == {a for _, a in shape(svg.render((make_pod("harmless"),)))}


@pytest.mark.parametrize("hostile", HOSTILE)
def test_text_from_outside_is_shown_as_text(make_pod: MakePod, hostile: str) -> None:
    assert any(escaping.printable(hostile) in text for text in texts(svg.render((make_pod(hostile),))))


def test_text_fits_into_either_kind_of_quotes_and_between_tags() -> None:
    assert not set("<>\"'") & set(escaping.escape("<a b=\"c\" d='e'>&"))


def test_characters_that_drive_terminals_or_reorder_text_are_spelt_out(make_pod: MakePod) -> None:
    drawn = svg.render((make_pod("\x1b[31m\u202e\n"),))
    assert "\\x1b[31m\\u202e\\n" in drawn
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", drawn)


def test_every_row_value_source_and_hint_is_there(make_pod: MakePod) -> None:
    pod = make_pod("Z")
    found = "\n".join(texts(svg.render((pod,))))
    container = pod.containers[0]
    for row in (*pod.rows, *container.rows):
        assert row.name in found
        for step in row.steps:
            assert step.brief in found
            assert step.stage in found
            for part in step.parts:
                assert part.where in found
                assert part.reason in found
    for hint in container.hints:
        assert hint.problem in found
        assert hint.remedy in found
        assert hint.name in found
    assert "remove spec.containers[0].securityContext.capabilities" in found
    assert 'spec.containers[0].securityContext.capabilities: "Z"' in found


def test_a_value_that_is_not_new_is_drawn_once_before_the_kernel(make_pod: MakePod) -> None:
    pills = [text for text in texts(svg.render((make_pod(),))) if text == "1000"]
    assert len(pills) == 3  # `user` where it begins and at the kernel, `mount` where it begins


def test_what_a_stage_dropped_is_struck_through(make_pod: MakePod) -> None:
    assert re.search(r'class="c x f-refused">chown kill<', svg.render((make_pod(),)))


def test_what_was_observed_other_than_predicted_stands_out(make_pod: MakePod) -> None:
    assert "≠ chown" in texts(svg.render((make_pod(),)))


def test_a_refusal_is_told_and_what_lies_behind_it_is_not_reached(make_pod: MakePod) -> None:
    pod = make_pod(refused="effective")
    user = pod.containers[0].rows[0]
    ended = structs.replace(pod.containers[0], rows=(structs.replace(user, steps=user.steps[:1]),))
    found = texts(svg.render((structs.replace(pod, containers=(ended,)),)))
    assert "✕ refused by effective: spec.containers[0].securityContext.capabilities = v" in found
    assert "may not" in found
    assert [text for text in found if "not reached" in text] == [f"{s}: not reached" for s in ("cri", "oci", "kernel")]


@pytest.mark.parametrize(
    ("before", "after", "dropped"),
    [
        ("14: chown kill", "none", ("chown", "kill")),
        ("2: chown kill", "1: kill", ("chown",)),
        ("/a /b /c", "/a", ("/b", "/c")),
        ("RuntimeDefault", "none", ("RuntimeDefault",)),
        ("3000 4000", "3000 4000 50000", ()),
        ("yes", "no", ()),
        ("no", "none", ()),
        ("Localhost a.json", "filter of 300 calls, else errno", ()),
        ("all 41", "none", ()),
        ("38: all but mknod", "none", ()),
    ],
)
def test_only_a_list_that_got_shorter_has_dropped_something(before: str, after: str, dropped: tuple[str, ...]) -> None:
    assert picture_layout.lost(before, after) == dropped


def test_a_hint_stands_below_the_lane_it_is_about(make_pod: MakePod) -> None:
    bands = picture_layout.container_panel(make_pod().containers[0]).bands
    privileges = next(band for band in bands if band.title == "what it may do")
    callout, lane = privileges.callouts[0], privileges.lanes[0]
    assert callout.hint.name == "at-row"
    assert callout.points_at == lane.y < callout.y < privileges.y + privileges.height
    assert [callout.hint.name for callout in bands[-1].callouts] == ["at-none"]


def test_nothing_is_drawn_over_anything_else(make_pod: MakePod) -> None:
    for container in (make_pod().containers[0], make_pod(refused="oci").containers[0]):
        panel = picture_layout.container_panel(container)
        bottom = 0.0
        for band in panel.bands:
            assert band.y >= bottom
            bottom = band.y + band.height
            taken = sorted([lane.y for lane in band.lanes] + [callout.y for callout in band.callouts])
            assert all(below - above >= 20 for above, below in pairwise(taken))
        assert bottom <= panel.height


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=200), st.integers(2, 40))
def test_clipped_text_fits_and_says_so(text: str, room: int) -> None:
    for shown in (escaping.clipped(text, room), escaping.clipped_front(text, room)):
        assert escaping.width(shown) <= room
        assert shown == escaping.printable(text) or "…" in shown
    assert all(escaping.width(line) <= room for line in escaping.wrapped(text, room, 3))
    assert len(escaping.wrapped(text, room, 3)) <= 3


def test_a_very_long_value_is_cut_and_its_tool_tip_holds_more_of_it(make_pod: MakePod) -> None:
    drawn = svg.render((make_pod("x" * 1_000_000),))
    assert len(drawn) < 200_000
    found = texts(drawn)
    assert any("x" * 1500 in text and "more characters" in text for text in found)
    assert any(re.fullmatch(r"1000x+…", text) for text in found)


def test_the_file_refers_to_nothing_outside_and_runs_nothing(make_pod: MakePod) -> None:
    drawn = svg.render((make_pod(),)).replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"http|url\(|@import|href|src=|<script|\bon\w+=|<image|<foreignObject|<use", drawn)


def test_twenty_containers_stay_small(make_pod: MakePod) -> None:
    assert len(svg.render((make_pod(containers=20),)).encode()) < 1_000_000


def test_no_pod_is_an_empty_picture() -> None:
    assert texts(svg.render(())) == []


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_is_legible_on_its_ground(scheme: int) -> None:
    grounds = [colours.INK[name][scheme] for name in ("ground", "panel", "pill")]
    inks = [colours.INK[name][scheme] for name in ("text", "muted", "refused")]
    inks += [colours.ORIGINS[origin][scheme] for origin in Origin]
    assert min(contrast(ink, ground) for ink in inks for ground in grounds) >= 4.5
    special = [("hint", "hint-ground"), ("text", "hint-ground"), ("muted", "hint-ground"), ("text", "refused-ground")]
    special += [("refused", "refused-ground")]
    assert min(contrast(colours.INK[ink][scheme], colours.INK[ground][scheme]) for ink, ground in special) >= 4.5
    manifest = colours.ORIGINS[Origin.MANIFEST][scheme]
    assert contrast(manifest, colours.INK["hint-ground"][scheme]) >= 4.5
    assert contrast(manifest, colours.INK["refused-ground"][scheme]) >= 4.5
