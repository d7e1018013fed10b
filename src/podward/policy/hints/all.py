"""All hint rules in the order of the output: refusals, the process's ids, its privileges, its files, the rest."""

from __future__ import annotations

from collections.abc import Callable

from podward.api.explanation import Hint
from podward.api.image import UnknownImage
from podward.policy.hints import (
    capability_without_root,
    empty_object_wipes_pod_value,
    from_manifest,
    group_from_image,
    group_without_user,
    host_path_keeps_its_group,
    image_user_not_numeric,
    privileged_drops_profile,
    read_only_root_without_tmp,
    root_cannot_chown,
    runtime_defaults_differ,
    seccomp_unset,
    setuid_without_new_privileges,
    token_not_readable,
    uid_shared_with_pods,
    uid_without_passwd,
    unknown_capability,
    volume_not_writable,
)
from podward.policy.hints.facts import HintFacts

RULES: dict[str, Callable[[HintFacts], tuple[Hint, ...]]] = {
    rule.NAME: rule.hint
    for rule in (
        image_user_not_numeric,
        group_without_user,
        uid_without_passwd,
        group_from_image,
        unknown_capability,
        capability_without_root,
        root_cannot_chown,
        setuid_without_new_privileges,
        privileged_drops_profile,
        empty_object_wipes_pod_value,
        seccomp_unset,
        read_only_root_without_tmp,
        volume_not_writable,
        host_path_keeps_its_group,
        token_not_readable,
        uid_shared_with_pods,
        runtime_defaults_differ,
    )
}
"""The rules by their names, which are also the names of their pages in docs/hints."""


def decide(facts: HintFacts) -> tuple[Hint, ...]:
    """All hints about one container, or those that do without its image where that is unknown."""
    if isinstance(facts.image, UnknownImage):
        return from_manifest.decide(facts)
    return tuple(found for rule in RULES.values() for found in rule(facts))
