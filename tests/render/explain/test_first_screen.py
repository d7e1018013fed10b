"""What the first screen tells, and what waits for -o wide."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from podward.decision import Origin, Source, Unknown
from podward.path import path
from podward.render import palette
from podward.render.explain import first_screen, html, svg, table
from podward.render.explain.row_types import CitedValue, PodRows, RankedScc, Row, SccRanking, Step

MakePod = Callable[..., PodRows]
DEFAULT, MANIFEST = Source(Origin.DEFAULT, "containerd 2.2"), Source(Origin.MANIFEST, "pod.yaml", path("spec"))


def row(name: str, source: Source = DEFAULT, text: str = "1", stage: str = "oci", **more: str) -> Row:
    part = CitedValue(text, "because", source, "there")
    return Row(name, "identity", (Step(stage, path("x"), text, text, (part,), changed=True),), **more)


def told(pod: PodRows, *rows: Row) -> tuple[list[str], PodRows]:
    (container, *_) = pod.containers
    whole = structs.replace(pod, rows=(), containers=(structs.replace(container, rows=rows),))
    short = first_screen.of_pod(whole)
    return [each.name for each in short.containers[0].rows], short


def test_what_somebody_decided_is_told_and_the_rest_counted(make_pod: MakePod) -> None:
    names, short = told(make_pod(), row("user"), row("seccomp", MANIFEST), row("masked paths"), row("rlimits"))
    assert names == ["user", "seccomp"]
    assert short.folded == 2
    assert "2 rows are as the defaults have them: -o wide" in table.table((short,), 100, palette.PLAIN)


def test_what_is_unknown_is_told_unless_only_the_kernel_knows(make_pod: MakePod) -> None:
    def unknown(name: str, stage: str) -> Row:
        known = row(name, stage=stage)
        (step,) = known.steps
        part = structs.replace(step.parts[0], unknown=Unknown("the image is not here", "pull it"))
        return structs.replace(known, steps=(structs.replace(step, parts=(part,)),))

    names, _ = told(make_pod(), unknown("non-root check", "effective"), unknown("caps effective", "kernel"))
    assert names == ["non-root check"]


def test_what_is_observed_otherwise_is_told(make_pod: MakePod) -> None:
    names, _ = told(make_pod(), row("rlimits", predicted="1", observed="2"))
    assert names == ["rlimits"]


def test_capability_sets_that_say_the_same_are_told_once(make_pod: MakePod) -> None:
    same = (row("caps effective", MANIFEST), row("caps permitted", MANIFEST), row("caps bounding", MANIFEST, "2"))
    assert told(make_pod(), *same)[0] == ["caps effective", "caps bounding"]


def test_sccs_that_were_not_tried_are_told_by_name(make_pod: MakePod) -> None:
    outcomes = ("not usable", "chosen", "not tried", "not tried")
    sccs = tuple(RankedScc(f"scc-{at}", "", 0, (), outcome, "", (), at) for at, outcome in enumerate(outcomes, 1))
    short = first_screen.of_pod(structs.replace(make_pod(), admission=SccRanking("me", "", sccs, ())))
    assert short.admission is not None
    assert [each.name for each in short.admission.sccs] == ["scc-1", "scc-2"]
    assert short.admission.folded == (("not tried", ("scc-3", "scc-4")),)


def test_a_hint_that_containers_share_is_told_once_with_all_its_changes(make_pod: MakePod) -> None:
    pod = make_pod()
    first = pod.containers[0]
    other = structs.replace(first, name="other", refusals=())
    printed = table.table((structs.replace(pod, containers=(first, other)),), 100, palette.PLAIN)
    for hint in first.hints:
        assert printed.count(f"hint {hint.name}") == 1
    assert f"containers {first.name}, other" in printed


def test_a_long_name_has_a_line_of_its_own(make_pod: MakePod) -> None:
    name = "sysctl net.ipv4.ip_unprivileged_port_start"
    _, short = told(make_pod(), row(name, MANIFEST), row("user"))
    for columns in (60, 80, 100, 160):
        lines = table.table((short,), columns, palette.PLAIN).splitlines()
        at = lines.index(name)
        assert "there" in lines[at + 1].split()
        assert lines[at + 1].startswith(" ")


def test_short_words_for_stages_are_explained_once(make_pod: MakePod) -> None:
    _, short = told(make_pod(), row("user", stage="effective"), row("group"))
    printed = table.table((short, short), 100, palette.PLAIN)
    assert printed.count("eff: the kubelet · oci: the runtime\n") == 1
    assert "the kubelet" not in table.table((short,), 160, palette.PLAIN), "there the words are whole"


def test_the_verdict_opens_every_form(make_pod: MakePod) -> None:
    pod = structs.replace(make_pod(), containers=(structs.replace(make_pod().containers[0], verdict="runs as <7>"),))
    assert table.table((pod,), 100, palette.PLAIN).splitlines()[1] == "runs as <7>"
    assert "runs as &lt;7&gt;" in svg.render((pod,))
    assert "runs as &lt;7&gt;" in html.render((pod,), {})
