"""The hints that a manifest alone gives: they claim nothing that the image could disprove, or that a machine could."""

from __future__ import annotations

from podward.api.explanation import Hint
from podward.policy.hints import (
    empty_object_wipes_pod_value,
    group_without_user,
    seccomp_unset,
    unknown_capability,
)
from podward.policy.hints.facts import HintFacts

RULES = (group_without_user.hint, unknown_capability.hint, empty_object_wipes_pod_value.hint, seccomp_unset.hint)


def decide(facts: HintFacts) -> tuple[Hint, ...]:
    """These hints about one container."""
    return tuple(found for rule in RULES for found in rule(facts))
