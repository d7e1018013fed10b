"""How admission chose, in a table and in a picture; and where policies are cited."""

from __future__ import annotations

import re
from collections.abc import Callable
from xml.etree import ElementTree as ET

import pytest

from podward.decision import Origin, Source
from podward.documents.reader import decode_documents
from podward.path import Key, path
from podward.render import palette
from podward.render.escaping import width
from podward.render.explain import ranking_picture, ranking_table, svg
from podward.render.explain.citations import Citations
from podward.render.explain.row_types import PodRows, RankedScc, SccRanking
from podward.render.explain.svg_elements import NoLinks
from podward.schema.objects import objects_of

MakePod = Callable[..., PodRows]
POD = b"kind: Pod\nspec:\n  hostNetwork: true\n"
NAMESPACE = b"""apiVersion: v1
kind: Namespace
metadata:
  name: shop
  annotations:
    a/b: x
"""
SCCS = b"""apiVersion: v1
kind: List
items:
- apiVersion: security.openshift.io/v1
  kind: SecurityContextConstraints
  metadata: {name: own}
  runAsUser:
    type: MustRunAsRange
  users:
  - alice
"""


def citations() -> Citations:
    (pod,) = decode_documents(POD, "pod.yaml")
    (namespace,) = (item for each in decode_documents(NAMESPACE, "ns.yaml") for item in objects_of(each))
    (scc,) = (item for each in decode_documents(SCCS, "sccs.yaml") for item in objects_of(each))
    return Citations(pod, {"namespace shop": namespace, "scc own": scc})


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (Source(Origin.MANIFEST, "pod.yaml", path("spec", "hostNetwork")), "pod.yaml:3"),
        (Source(Origin.MANIFEST, "other.yaml", path("spec")), "other.yaml spec"),
        (
            Source(Origin.POLICY, "namespace shop", path("metadata", "annotations", Key("a/b"))),
            "ns.yaml:6",
        ),
        (Source(Origin.POLICY, "scc own", path("runAsUser", "type")), "sccs.yaml:8"),
        (Source(Origin.POLICY, "scc own", path("users", 0)), "sccs.yaml:10"),
        (Source(Origin.POLICY, "scc own", path("runAsUser", "uidRangeMin")), "sccs.yaml:7"),
        (
            Source(Origin.POLICY, "scc own", path("allowPrivilegeEscalation")),
            "scc own allowPrivilegeEscalation",
        ),
        (Source(Origin.POLICY, "scc own"), "scc own"),
        (Source(Origin.POLICY, "scc other", path("users")), "scc other users"),
        (Source(Origin.RULE, "scc own", path("users")), "scc own users"),
        (Source(Origin.IMAGE, "img /etc/group", line=4), "img /etc/group:4"),
    ],
)
def test_a_source_is_cited_by_the_line_of_the_file_it_is_written_in(source: Source, told: str) -> None:
    assert citations().cite(source) == told
    file, line = citations().file_and_line(source)
    assert told == f"{file}:{line}" if line is not None else ":" not in told


def test_an_annotation_that_nobody_wrote_has_no_line() -> None:
    source = Source(Origin.POLICY, "namespace shop", path("metadata", "annotations", Key("c/d")))
    assert citations().cite(source) == "namespace shop metadata.annotations[c/d]"


def test_a_source_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError, match="without a source"):
        citations().cite(Source(Origin.RULE, ""))


def ranked_scc(*points: tuple[str, int]) -> RankedScc:
    return RankedScc("scc", "", 0, points, "not tried", "", ())


def test_points_say_what_they_are_for() -> None:
    assert ranked_scc(("volumes", 100), ("user", 50)).points_text == "150 = volumes 100 + user 50"
    assert ranked_scc(("user", 7)).points_text == "7"
    assert ranked_scc().points_text == "0"


def judged(make_pod: MakePod, hostile: str = "") -> SccRanking:
    found = make_pod(hostile).admission
    assert found is not None
    return found


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_the_table_tells_every_outcome_and_the_first_refusals(make_pod: MakePod, columns: int) -> None:
    printed = ranking_table.table(judged(make_pod), columns, palette.PLAIN)
    assert all(width(line) <= columns for line in printed.splitlines())
    told = " ".join(printed.split())
    for words in ("asked by caller and account", "1 first 10 100 not usable: nobody may", "refused", "chosen: because"):
        assert words in told
    assert told.count("pod.yaml:4:") == 4
    assert "and 5 more" in told
    assert "Pod Security enforces restricted" in told


def test_names_and_reasons_do_nothing_on_a_terminal(make_pod: MakePod) -> None:
    printed = ranking_table.table(judged(make_pod, "\x1b[2J\u202e"), 100, palette.PLAIN)
    assert "\x1b" not in printed
    assert "\u202e" not in printed


def numbers(drawn: str, name: str) -> list[float]:
    return [float(found) for found in re.findall(rf'{name}="([\d.]+)"', drawn)]


def test_the_panel_is_as_high_as_what_it_tells(make_pod: MakePod) -> None:
    few = SccRanking("me", "", (RankedScc("won", "", 0, (), "chosen", "it fits", ()),), ())
    for each in (judged(make_pod), few, SccRanking("me", "", (), ("enforces baseline: nothing",))):
        drawn, height = ranking_picture.panel(each, 1100, NoLinks())
        root = ET.fromstring(f"<svg>{drawn}</svg>")  # noqa: S314  # our own
        assert root.find("rect") is not None
        moved = [float(found) for found in re.findall(r"translate\(0 ([\d.]+)\)", drawn)]
        assert max((*numbers(drawn, "y"), *moved)) <= height
    assert ranking_picture.panel(judged(make_pod), 1100, NoLinks())[1] > ranking_picture.panel(few, 1100, NoLinks())[1]


def test_a_picture_with_a_ranking_is_wide_enough_for_it(make_pod: MakePod) -> None:
    bare = PodRows("p", "default", "Pod", "pod.yaml:1", (), (), (), judged(make_pod))
    assert svg.width_of(bare, ()) >= svg.WITH_RANKING
    assert "how it was let in" in svg.render((bare,))
