"""In which namespaces no SCC acts."""

from __future__ import annotations

import pytest

from podward.policy.scc.run_levels import LABEL, why_unguarded


@pytest.mark.parametrize("level", ["0", "1"])
def test_no_scc_acts_in_a_namespace_that_is_labelled_for_it(level: str) -> None:
    assert "run-level" in (why_unguarded("shop", {LABEL: level}, named=False) or "")


@pytest.mark.parametrize("labels", [None, {}, {LABEL: "2"}, {LABEL: ""}, {LABEL: None}])
def test_in_another_they_act(labels: dict[str, str | None] | None) -> None:
    assert why_unguarded("shop", labels, named=True) is None


@pytest.mark.parametrize(
    "name", ["default", "kube-system", "kube-public", "openshift", "openshift-infra", "openshift-node"]
)
def test_those_of_the_system_are_known_by_name_if_somebody_names_them(name: str) -> None:
    assert name in (why_unguarded(name, None, named=True) or "")
    assert why_unguarded(name, None, named=False) is None
