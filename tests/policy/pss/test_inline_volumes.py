"""Whether a namespace may use a CSI driver's inline volumes."""

from __future__ import annotations

import pytest

from podward.policy.pss.inline_volumes import InlineVolumes, Volumes, decide

PREFIX = "pod-security.kubernetes.io/"


def decided(profiles: dict[str, str], *drivers: str, **labels: str) -> InlineVolumes:
    written: dict[str, str | None] = {PREFIX + mode: level for mode, level in labels.items()}
    return decide(Volumes("p", "shop", dict(enumerate(drivers))), written, profiles)


@pytest.mark.parametrize(
    ("profile", "enforced", "admitted"),
    [
        ("restricted", "restricted", True),
        ("baseline", "restricted", False),
        ("baseline", "baseline", True),
        ("privileged", "baseline", False),
        ("privileged", "privileged", True),
    ],
)
def test_the_drivers_level_may_not_be_above_what_is_enforced(profile: str, enforced: str, *, admitted: bool) -> None:
    found = decided({"d": profile}, "d", enforce=enforced, warn="privileged", audit="privileged")
    assert (found.refusal is None) == admitted
    assert found.warnings == ()


def test_a_driver_that_nobody_knows_counts_as_privileged() -> None:
    refusal = decided({"e": "restricted"}, "e", "d", enforce="baseline").refusal
    assert refusal is not None
    assert (str(refusal.path), refusal.value) == ("spec.volumes[1]", "d")
    assert refusal.reason == (
        "p uses an inline volume provided by CSIDriver d and namespace shop"
        " has a pod security enforce level that is lower than privileged"
    )


def test_a_namespace_that_says_nothing_counts_as_restricted() -> None:
    assert decided({"d": "baseline"}, "d").refusal is not None
    assert decided({"d": "restricted"}, "d").refusal is None


def test_a_stricter_warning_is_told() -> None:
    found = decided({"d": "baseline"}, "d", enforce="privileged", warn="restricted")
    assert found.refusal is None
    assert ["pod security warn level" in warning for warning in found.warnings] == [True]


@pytest.mark.parametrize(("profiles", "enforced"), [({"d": "any"}, "baseline"), ({"d": "restricted"}, "any")])
def test_a_label_that_is_no_level_refuses(profiles: dict[str, str], enforced: str) -> None:
    refusal = decided(profiles, "d", enforce=enforced).refusal
    assert refusal is not None
    assert "invalid" in refusal.reason
