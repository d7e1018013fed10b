"""Labels of a namespace, the cluster's defaults, and what does not parse."""

from __future__ import annotations

import pytest

from podward.errors import InputError
from podward.policy.pss.labels import (
    PREFIX,
    LabelledPolicy,
    Policy,
    cluster_policy,
    errors_text,
    policy_of,
    policy_unless_labelled,
)
from podward.policy.pss.standard import LATEST, Level, Standard, Version, parse_level, parse_version

PRIVILEGED = Standard(Level.PRIVILEGED)
BASELINE = Standard(Level.BASELINE)
RESTRICTED = Standard(Level.RESTRICTED)


def labelled(**modes: str | None) -> LabelledPolicy:
    return policy_of({PREFIX + mode.replace("_", "-"): text for mode, text in modes.items()})


@pytest.mark.parametrize("text", ["latest", "v1.0", "v1.9", "v1.10", "v1.37", "v1.9223372036854775807"])
def test_versions_print_as_they_are_written(text: str) -> None:
    assert str(parse_version(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "1.2",
            "v1",
            "v1.",
            "v2.0",
            "v1.00",
            "v1.01",
            "v1.-1",
            "v1.+1",
            "v1.1.1",
            "v1.2\n",
            " v1.2",
            "v1.٣",
            "Latest",
        ),
        *("v1.9223372036854775808", "v1." + "9" * 5000),
    ],
)
def test_other_texts_are_no_versions(text: str) -> None:
    assert parse_version(text) is None


def test_levels_are_three_words() -> None:
    assert [parse_level(text) for text in ("privileged", "baseline", "restricted")] == list(Level)
    assert parse_level("Restricted") is None
    assert parse_level("") is None


def test_without_labels_the_clusters_defaults_hold() -> None:
    default = Policy(BASELINE, RESTRICTED, RESTRICTED)
    assert policy_of(None, default) == policy_of({"app": "x"}, default) == LabelledPolicy(default)
    assert policy_of({}) == LabelledPolicy(Policy(PRIVILEGED, PRIVILEGED, PRIVILEGED))


def test_warn_follows_a_stricter_enforce_with_its_version() -> None:
    made = labelled(enforce="restricted", enforce_version="v1.30").policy
    assert (str(made.enforce), str(made.audit), str(made.warn)) == (
        "restricted:v1.30",
        "privileged:latest",
        "restricted:v1.30",
    )


def test_warn_keeps_its_own_version() -> None:
    assert (
        str(labelled(enforce="baseline", enforce_version="v1.30", warn_version="v1.20").policy.warn) == "baseline:v1.20"
    )


def test_warn_does_not_follow_where_it_has_a_label_or_enforce_is_no_stricter() -> None:
    assert labelled(enforce="restricted", warn="privileged").policy.warn == PRIVILEGED
    assert policy_of({PREFIX + "enforce": "baseline"}, Policy(warn=RESTRICTED)).policy.warn == RESTRICTED
    assert labelled(enforce_version="v1.5").policy.warn == PRIVILEGED


def test_a_bad_enforce_is_restricted_and_bad_others_are_open() -> None:
    made = labelled(enforce="x", audit="y", warn="z", enforce_version="1", audit_version="2", warn_version="3")
    assert made.policy == Policy(RESTRICTED, PRIVILEGED, PRIVILEGED)
    assert [str(error.path) for error in made.errors] == [
        f"metadata.labels[{PREFIX}{label}]"
        for label in ("enforce", "enforce-version", "audit", "audit-version", "warn", "warn-version")
    ]


def test_a_bad_enforce_is_not_what_warn_follows() -> None:
    assert labelled(enforce="strict").policy == Policy(RESTRICTED, PRIVILEGED, PRIVILEGED)


def test_a_bad_version_keeps_the_level() -> None:
    made = labelled(enforce="baseline", enforce_version="v1.x")
    assert made.policy.enforce == Standard(Level.BASELINE, LATEST)
    assert len(made.errors) == 1


def test_a_label_without_value_is_a_bad_level() -> None:
    for text in ("", None):
        made = labelled(enforce=text)
        assert made.policy.enforce == RESTRICTED
        assert errors_text(made.errors) == (
            f'metadata.labels[{PREFIX}enforce]: Invalid value: "": must be one of privileged, baseline, restricted'
        )


def test_several_errors_stand_in_brackets() -> None:
    made = labelled(enforce="x", warn_version="y")
    assert errors_text(made.errors) == (
        f'[metadata.labels[{PREFIX}enforce]: Invalid value: "x": must be one of privileged, baseline, restricted, '
        f'metadata.labels[{PREFIX}warn-version]: Invalid value: "y": must be "latest" or "v1.x"]'
    )


def test_a_cluster_is_open_where_it_says_nothing() -> None:
    assert cluster_policy({}) == cluster_policy({"enforce": "", "audit-version": ""}) == Policy()
    made = cluster_policy({"enforce": "baseline", "enforce-version": "v1.30", "warn": "restricted"})
    assert made == Policy(Standard(Level.BASELINE, Version(30)), PRIVILEGED, RESTRICTED)


@pytest.mark.parametrize(
    ("defaults", "says"),
    [({"audit": "x"}, "defaults.audit: .*must be one of"), ({"warn-version": "1"}, "defaults.warn-version: .*latest")],
)
def test_a_bad_default_of_the_cluster_is_bad_input(defaults: dict[str, str], says: str) -> None:
    with pytest.raises(InputError, match=says):
        cluster_policy(defaults)


@pytest.mark.parametrize(
    ("labels", "enforced"),
    [
        (None, RESTRICTED),
        ({}, RESTRICTED),
        ({"app": "x"}, RESTRICTED),
        ({f"{PREFIX}warn": "baseline"}, RESTRICTED),
        ({f"{PREFIX}enforce": "baseline"}, BASELINE),
        ({f"{PREFIX}enforce": "privileged"}, PRIVILEGED),
        ({f"{PREFIX}enforce": "typo"}, RESTRICTED),
    ],
)
def test_a_standard_is_enforced_unless_a_label_says_what_is(
    labels: dict[str, str | None] | None, enforced: Standard
) -> None:
    assert policy_unless_labelled(labels, RESTRICTED).policy.enforce == enforced


def test_a_label_of_its_own_does_not_inherit_the_standards_version() -> None:
    old = Standard(Level.RESTRICTED, Version(24))
    assert policy_unless_labelled({f"{PREFIX}enforce": "baseline"}, old).policy.enforce == BASELINE
    assert policy_unless_labelled({f"{PREFIX}warn": "baseline"}, old).policy.enforce == old


def test_what_is_remembered_is_known_by_all_that_it_was_made_of() -> None:
    changing = {f"{PREFIX}enforce": "baseline"}
    assert policy_of(changing).policy.enforce == BASELINE
    changing[f"{PREFIX}enforce"] = "restricted"
    assert policy_of(changing).policy.enforce == RESTRICTED
    assert policy_of(changing, Policy(audit=BASELINE)).policy.audit == BASELINE
    assert policy_of(changing).policy.audit == PRIVILEGED
