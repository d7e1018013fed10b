"""What the tests of pictures draw: the rows of a small Pod, with any text in every place that comes from outside."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.explanation import Change
from podward.decision import Origin, Source
from podward.path import path
from podward.render.explain.row_types import (
    CitedHint,
    CitedValue,
    ContainerRows,
    PodRows,
    RankedScc,
    Refusal,
    Row,
    SccRanking,
    Step,
)

FILE = "dir/pod.yaml"
ADDED = path("spec", "containers", 0, "securityContext", "capabilities")


def part(value: str, origin: Origin, name: str, where: str, line: int | None = None) -> CitedValue:
    return CitedValue(value, f"why {value}", Source(origin, name, line=line), where)


def step(stage: str, *parts: CitedValue, changed: bool = True) -> Step:
    whole = " ".join(each.text for each in parts)
    return Step(stage, path("x"), whole, whole, parts, changed)


def rows(hostile: str) -> tuple[Row, ...]:
    user = part(f"1000{hostile}", Origin.MANIFEST, FILE, f"{FILE}:3")
    listed = part("4000", Origin.MANIFEST, FILE, f"{FILE}:4")
    implied = part(f"50000{hostile}", Origin.IMAGE, "img:1 /etc/group", "img:1 /etc/group:2", 2)
    given = part("chown kill", Origin.DEFAULT, "containerd 2.2", "containerd 2.2")
    left = part("none", Origin.RULE, "capabilities(7)", f"capabilities(7){hostile}")
    return (
        Row(
            "user",
            "identity",
            (step("effective", user), step("cri", user, changed=False), step("kernel", user, changed=False)),
            user.text,
        ),
        Row("groups", "identity", (step("effective", listed), step("oci", listed, implied))),
        Row("caps effective", "privileges", (step("oci", given), step("kernel", left)), "none", observed="chown"),
        Row(f"mount /{hostile}", "files", (step("cri", user),)),
    )


def ranking(hostile: str) -> SccRanking:
    """An SCC of each outcome."""
    source = Source(Origin.POLICY, "scc own")
    refusal = Refusal("admission", ADDED, f"v{hostile}", f"may not {hostile}", source, f"{FILE}:4")
    tried = (
        RankedScc(f"first{hostile}", "", 10, (("volumes", 100),), "not usable", f"nobody may{hostile}", (), 1),
        RankedScc(
            f"own{hostile}", "dir/scc.yaml:1", 0, (("volumes", 100), ("user", 50)), "refused", "", (refusal,) * 9, 2
        ),
        RankedScc("won", "dir/scc.yaml:30", 0, (("user", 7),), "chosen", f"because {hostile}", (), 3),
        RankedScc("last", "", 0, (), "not tried", "", (), 4),
    )
    return SccRanking(f"caller{hostile}", f"account{hostile}", tried, (f"enforces restricted: {hostile}",))


def make(hostile: str = "", containers: int = 1, refused: str = "") -> PodRows:
    """A Pod whose strings from outside all hold `hostile`; `refused`: the stage at which its containers end."""
    source = Source(Origin.MANIFEST, FILE, ADDED)
    refusals = (Refusal(refused, ADDED, f"v{hostile}", f"may not{hostile}", source, f"{FILE}:4"),) if refused else ()
    value = hostile.encode("utf-8", "replace").decode()  # no document has a lone surrogate, a file's name may
    hints = (
        CitedHint("at-row", ADDED / "add", f"{FILE}:5", f"lost {hostile}", f"cure {hostile}", (Change(ADDED, value),)),
        CitedHint("at-none", path("spec", "volumes", 0), f"{FILE}:6", "problem", "remedy", (Change(ADDED, None),)),
    )
    listed = tuple(
        ContainerRows(
            f"c{n}{hostile}", "regular", f"img:1{hostile}", f"{FILE}:2", rows(hostile), refusals, hints, observed=True
        )
        for n in range(containers)
    )
    whole = (Row("privileged", "privileges", (step("sandbox", part("no", Origin.RULE, "kubelet", "kubelet")),)),)
    return PodRows(f"pod{hostile}", "default", "Pod", f"{FILE}:1", whole, (), listed, ranking(hostile))


@pytest.fixture(scope="session")
def make_pod() -> Callable[..., PodRows]:
    return make
