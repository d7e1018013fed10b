"""The default SCCs are those that OpenShift ships with, and the default RBAC opens them to whom it does there."""

from __future__ import annotations

import gzip
import json
from pathlib import Path as File

import pytest

from podward.documents.document import Document
from podward.policy.scc.default_set import NAMES, USED_BY_ALL, default_rbac, default_sccs
from podward.schema.scc.defaults import decide_defaults
from podward.schema.scc.reading import scc_view
from podward.schema.scc.validation import validate
from podward.schema.strict import mistakes

GOLDEN = File(__file__).parent.parent.parent / "golden" / "sccdefaults_shared.jsonl.gz"


def recorded() -> dict[str, object]:
    """The first SCC of each name among the recorded ones: the generator begins with the shipped ones."""
    found: dict[str, object] = {}
    with gzip.open(GOLDEN, "rt") as file:
        for line in file:
            scc = json.loads(line)["input"]["scc"]
            found.setdefault(scc["metadata"]["name"], scc)
    return found


def test_the_default_sccs_are_the_shipped_ones() -> None:
    shipped = recorded()
    for scc in default_sccs():
        metadata = scc["metadata"]
        assert isinstance(metadata, dict)
        assert metadata["annotations"]
        assert {**scc, "metadata": {"name": metadata["name"]}} == shipped[str(metadata["name"])]


def test_the_default_sccs_are_stored_as_they_stand() -> None:
    assert len(default_sccs()) == len(NAMES) == 11
    for scc in default_sccs():
        assert decide_defaults(scc).assignments == ()
        assert validate(scc_view(scc)).violations == ()
        assert mistakes(Document("f", scc)) == ()


def test_the_names_are_in_the_order_in_which_they_are_tried() -> None:
    assert NAMES == (
        "anyuid", "restricted-v2", "restricted-v3", "restricted", "nonroot-v2", "nonroot", "hostmount-anyuid",
        "hostnetwork-v2", "hostnetwork", "hostaccess", "privileged",
    )  # fmt: skip


@pytest.mark.parametrize("raw", default_rbac())
def test_the_default_rbac_has_only_fields_that_rbac_has(raw: dict[str, object]) -> None:
    assert mistakes(Document("f", raw)) == ()  # type: ignore[arg-type]  # JSON


def test_copies_are_fresh() -> None:
    first, second = default_sccs()[0], default_sccs()[0]
    first["volumes"].clear()  # type: ignore[union-attr]  # a list
    assert second["volumes"]


def test_two_sccs_are_open_to_every_authenticated_user() -> None:
    assert USED_BY_ALL == ("restricted-v2", "restricted-v3")
