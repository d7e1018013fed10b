"""Rows and their table, from Decisions made by hand."""

from __future__ import annotations

import re

import pytest

from podward.api.explanation import ContainerExplanation, PodExplanation, Stage
from podward.decision import Assignment, Decision, Origin, Source, Unknown, Value, Violation
from podward.documents.document import Document
from podward.path import Path, path
from podward.render import palette
from podward.render.escaping import width
from podward.render.explain import table
from podward.render.explain.row_types import PodRows
from podward.render.explain.rows import ExplainedPod, rows_of

TABLE = Source(Origin.DEFAULT, "containerd 2.2")
LINE = Source(Origin.MANIFEST, "pod.yaml", path("spec", "securityContext", "runAsUser"))
IMAGE = Source(Origin.IMAGE, "registry.example/img:1 /etc/group", line=6)


def made(place: Path, value: Value, source: Source = TABLE) -> Assignment:
    return Assignment(place, value, "because", source)


def rows(*stages: tuple[str, tuple[Assignment, ...]], violations: tuple[Violation, ...] = ()) -> PodRows:
    listed = tuple(Stage(name, Decision(assignments)) for name, assignments in stages)
    if violations:
        listed = (*listed, Stage("kernel", Decision(violations=violations)))
    container = ContainerExplanation("ctr", "regular", path("spec", "containers", 0), "img:1", listed)
    pod = PodExplanation("p", "default", "Pod", "pod.yaml", Path(), (), (container,))
    lines = {"spec": (4, {"securityContext": (5, {"runAsUser": 6})})}
    return rows_of(ExplainedPod(pod, Document("pod.yaml", {}, 1, lines)))  # type: ignore[arg-type]  # as the composer makes


USER = (
    ("effective", (made(path("runAsUser"), 1000, LINE),)),
    ("cri", (made(path("linux", "securityContext", "runAsUser"), 1000, LINE),)),
    ("oci", (made(path("process", "user", "uid"), 1000, LINE),)),
    ("kernel", (made(path("uid"), (1000, 1000, 1000, 1000), LINE),)),
)


def test_a_value_is_shown_where_it_changes_and_predicted_in_the_last_column() -> None:
    (row,) = rows(*USER).containers[0].rows
    assert [step.changed for step in row.steps] == [True, False, False, False]
    assert row.predicted == "1000"
    printed = table.table((rows(*USER),), 80, palette.PLAIN)
    (line,) = [line for line in printed.splitlines() if line.startswith("user")]
    assert line.split() == ["user", "eff", "1000", "pod.yaml:6", "1000"]


def test_each_item_of_a_list_names_who_decided_it() -> None:
    groups = path("process", "user", "additionalGids")
    (row,) = rows(("oci", (made(groups / 0, 3000, LINE), made(groups / 1, 50000, IMAGE)))).containers[0].rows
    assert [(p.text, p.where) for p in row.steps[0].parts] == [
        ("3000", "pod.yaml:6"),
        ("50000", "registry.example/img:1 /etc/group:6"),
    ]
    assert row.steps[0].text == "3000 50000"


def test_a_later_assignment_at_the_same_place_replaces_the_earlier() -> None:
    (row,) = rows(("kernel", (made(path("cap_effective"), 7), made(path("cap_effective"), 0)))).containers[0].rows
    assert row.predicted == "none"


def test_every_printed_value_has_its_source_beside_it() -> None:
    shown = rows(*USER, ("oci", (made(path("root", "readonly"), True),)))
    for row in shown.containers[0].rows:
        for step in row.steps:
            assert step.parts
            assert all(part.where and part.source.name for part in step.parts)
    body = table.table((shown,), 100, palette.PLAIN).splitlines()[5:]
    assert all("pod.yaml:6" in line or "containerd 2.2" in line for line in body if line and "the kubelet" not in line)


def test_colour_changes_nothing_but_colour() -> None:
    for columns in (80, 200):
        plain = table.table((rows(*USER),), columns, palette.PLAIN)
        coloured = table.table((rows(*USER),), columns, palette.COLOURED)
        assert "\x1b[36m" in coloured
        assert [x.rstrip() for x in re.sub(r"\x1b\[[0-9;]*m", "", coloured).splitlines()] == plain.splitlines()


def test_long_values_stay_in_their_columns() -> None:
    long = made(path("linux", "maskedPaths"), tuple(f"/proc/a-long-name-{n}" for n in range(40)))
    name = Source(Origin.MANIFEST, "a/very-" + "long-" * 30 + "name.yaml", path("spec"))
    odd = made(path("process", "apparmorProfile"), "界" * 90, name)
    for columns in (60, 80, 133, 200):
        for line in table.table((rows(("oci", (long, odd))),), columns, palette.PLAIN).splitlines():
            assert width(line) <= columns


def test_a_refusal_is_printed_with_the_stage_and_who_refused() -> None:
    violation = Violation(path("process", "args", 0), "x", "is not there", Source(Origin.RULE, "execve(2)"))
    printed = table.table((rows(*USER, violations=(violation,)),), 100, palette.PLAIN)
    assert "refused by the kernel stage (execve(2))" in printed
    assert "    is not there\n" in printed


def test_a_refusal_of_what_a_stage_made_cites_the_line_that_decided_it() -> None:
    command = Source(Origin.MANIFEST, "pod.yaml", path("spec", "securityContext"))
    arguments = ("oci", (made(path("process", "args"), ("x",), command),))
    violation = Violation(path("process", "args", 0), "x", "is not there", Source(Origin.RULE, "execve(2)"))
    (refusal,) = rows(arguments, violations=(violation,)).containers[0].refusals
    assert refusal.where == "pod.yaml:5"


def test_a_value_without_a_source_is_not_printed() -> None:
    with pytest.raises(ValueError, match="without a source"):
        rows(("oci", (made(path("root", "readonly"), True, Source(Origin.RULE, "")),)))


HIDDEN = Unknown("image img:1 is not here", "`podward image pull img:1` brings it")


def test_an_unknown_value_says_so_and_why_is_told_once_below() -> None:
    hidden = (
        ("effective", (made(path("runAsUser"), HIDDEN, IMAGE),)),
        (
            "oci",
            (made(path("process", "user", "uid"), HIDDEN, IMAGE), made(path("process", "user", "gid"), HIDDEN, IMAGE)),
        ),
        ("kernel", (made(path("uid"), (1000,) * 4, LINE), made(path("uid"), HIDDEN, IMAGE))),
    )
    pod = rows(*hidden)
    assert pod.containers[0].unknowns == (HIDDEN,)
    user, group = pod.containers[0].rows
    assert [step.text for step in user.steps] == ["unknown"] * 3
    assert (user.predicted, group.steps[0].text) == ("unknown", "unknown")
    printed = table.table((pod,), 80, palette.PLAIN)
    assert printed.endswith("unknown: image img:1 is not here\n    → `podward image pull img:1` brings it\n")


def test_what_is_known_has_no_note() -> None:
    assert rows(*USER).containers[0].unknowns == ()
    assert "unknown" not in table.table((rows(*USER),), 80, palette.PLAIN)
