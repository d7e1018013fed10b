"""The flags of an OpenShift API server say what is wrong with them before anything is served."""

from __future__ import annotations

import argparse

import pytest

from podward.cli.openshift_options import add_openshift_options, namespace_ranges
from podward.errors import UsageError
from podward.policy.scc.allocation import DEFAULT


def _parsed(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_openshift_options(parser)
    return parser.parse_args(words)


def test_without_the_flag_there_are_no_ranges() -> None:
    assert namespace_ranges(_parsed()) is None
    assert namespace_ranges(_parsed("--openshift")) == DEFAULT


@pytest.mark.parametrize("words", [("--namespace-ranges", "1-9/1"), ("--namespace-levels", "s0:/3")])
def test_ranges_without_openshift_are_a_mistake(words: tuple[str, str]) -> None:
    with pytest.raises(UsageError) as refused:
        namespace_ranges(_parsed(*words))
    assert refused.value.advice == "add --openshift"


def test_a_bad_range_is_told_of() -> None:
    with pytest.raises(UsageError, match="this is no range of uids"):
        namespace_ranges(_parsed("--openshift", "--namespace-ranges", "many"))
