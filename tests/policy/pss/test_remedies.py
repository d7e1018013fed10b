"""A remedy's changes make the check pass, and leave nothing to cure."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path as File
from typing import Any

import pytest
from proofs import part

from podward.api.core import Pod
from podward.api.explanation import Change
from podward.api.json_value import JsonObject, copied_object
from podward.documents.patching import json_of, put
from podward.path import Key, Path, path
from podward.policy.pss.check import CheckResult, PssRemedy, facts_of
from podward.policy.pss.standard import Level, Version
from podward.policy.pss.standards import CHECKS, evaluate, remedy
from podward.schema.view import pod_view
from podward.stages.admission.order import completed

GOLDEN = File(__file__).parents[2] / "golden" / "psa_shared.jsonl.gz"
Pods = Callable[[int, int], list[JsonObject]]
MINORS = (0, 8, 18, 19, 22, 25, 31, 34, 35, 37)
NO_MECHANICAL_CURE = {"hostPathVolumes", "restrictedVolumes"}


def changed(raw: JsonObject, changes: tuple[Change, ...]) -> JsonObject:
    """A copy of the Pod with these changes; taking away what is not there is nothing."""
    copy = copied_object(raw)
    for change in changes:
        if change.value is None:
            take_away(copy, change.path)
        else:
            put(copy, change.path, json_of(change.value))
    return copy


def take_away(raw: JsonObject, place: Path) -> None:
    node: Any = raw
    steps = [segment.name if isinstance(segment, Key) else segment for segment in place.segments]
    for step in steps[:-1]:
        if isinstance(node, dict) and node.get(step) is None:
            return
        node = node[step]
    node.pop(steps[-1], None)


def result_of(check: str, level: Level, minor: int, raw: JsonObject) -> CheckResult | None:
    found = evaluate(level, Version(minor), pod_view(raw))
    return next((result for result in found if result.check == check), None)


def incurable(check: str, made: PssRemedy, raw: JsonObject) -> bool:
    """Whether there may be no changes: another kind of volume, or a Windows Pod under an old standard."""
    return check in NO_MECHANICAL_CURE or (facts_of(pod_view(raw)).windows and "v1.25" in made.sentence)


def prove(raw: JsonObject, level: Level, minor: int, prepare: Callable[[JsonObject], JsonObject]) -> set[str]:
    """Cure each result by itself and look again; the checks that were cured."""
    cured = set()
    prepared = prepare(raw)
    facts = facts_of(pod_view(prepared))
    for result in evaluate(level, Version(minor), facts.pod):
        made = remedy(facts, result)
        assert made.sentence.endswith(".")
        if incurable(result.check, made, prepared):
            assert not made.changes
            continue
        assert made.changes, result
        assert result_of(result.check, level, minor, changed(prepared, made.changes)) is None, (result, made)
        after = prepare(changed(raw, made.changes))  # what a user's file becomes: nothing prepared is in it
        assert result_of(result.check, level, minor, after) is None, (result, made)
        places = [change.path for change in made.changes]
        assert len(places) == len(set(places))
        cured.add(result.check)
    return cured


def as_it_is(raw: JsonObject) -> JsonObject:
    return raw


def as_created(raw: JsonObject) -> JsonObject:
    return completed(raw).stored


@pytest.mark.proof
@pytest.mark.parametrize("prepare", [as_it_is, as_created])
def test_every_remedy_cures_its_check_on_random_pods(
    random_pods: Pods, prepare: Callable[[JsonObject], JsonObject]
) -> None:
    cured: set[str] = set()
    for turn, raw in enumerate(random_pods(11, 300)):
        for level in (Level.BASELINE, Level.RESTRICTED):
            for minor in part(MINORS, 5, turn):
                cured |= prove(raw, level, minor, prepare)
    assert cured == {check.id for check in CHECKS} - NO_MECHANICAL_CURE


def test_every_remedy_cures_its_check_on_recorded_pods() -> None:
    cured: set[str] = set()
    with gzip.open(GOLDEN, "rt") as file:
        for line in file:
            question = json.loads(line)["input"]
            if question["prepare"] == "none":
                for minor in (18, 22, 37):
                    cured |= prove(question["pod"], Level.RESTRICTED, minor, as_it_is)
    assert len(cured) > 12


def test_all_remedies_together_leave_nothing_but_volumes(random_pods: Pods) -> None:
    for raw in random_pods(12, 400):
        raw["spec"]["os"] = {"name": "linux"}  # type: ignore[index,call-overload]
        made = everything(raw)
        left = evaluate(Level.RESTRICTED, Version(37), pod_view(changed(raw, made)))
        assert {result.check for result in left} <= {"restrictedVolumes"}
        assert everything(changed(raw, made)) == ()


def everything(raw: JsonObject) -> tuple[Change, ...]:
    facts = facts_of(pod_view(raw))
    results = evaluate(Level.RESTRICTED, Version(37), facts.pod)
    return tuple(change for result in results for change in remedy(facts, result).changes)


def changes_for(made: Pod, check: str, minor: int = 37) -> dict[str, object]:
    facts = facts_of(made)
    result = next(found for found in evaluate(Level.RESTRICTED, Version(minor), made) if found.check == check)
    return {str(change.path): change.value for change in remedy(facts, result).changes}


CONTEXT = "spec.containers[0].securityContext"


def test_run_as_non_root_is_set_once_on_the_pod(pod: Callable[..., Pod]) -> None:
    two = pod(initContainers=[{"name": "i"}], containers=[{"name": "c"}])
    assert changes_for(two, "runAsNonRoot") == {"spec.securityContext.runAsNonRoot": True}


def test_run_as_non_root_is_set_on_containers_where_one_contradicts(pod: Callable[..., Pod]) -> None:
    contradicting = pod({"runAsNonRoot": False}, initContainers=[{"name": "i"}])
    assert changes_for(contradicting, "runAsNonRoot") == {
        "spec.initContainers[0].securityContext.runAsNonRoot": True,
        f"{CONTEXT}.runAsNonRoot": True,
    }


def test_other_drops_are_kept_and_forbidden_adds_removed(pod: Callable[..., Pod]) -> None:
    adding = pod({"capabilities": {"drop": ["MKNOD"], "add": ["NET_BIND_SERVICE", "SYS_ADMIN"]}})
    assert changes_for(adding, "capabilities_restricted") == {
        f"{CONTEXT}.capabilities.drop": ("MKNOD", "ALL"),
        f"{CONTEXT}.capabilities.add": ("NET_BIND_SERVICE",),
    }


def test_a_list_of_adds_that_would_be_empty_goes(pod: Callable[..., Pod]) -> None:
    adding = pod({"capabilities": {"drop": ["ALL"], "add": ["SYS_ADMIN"]}})
    assert changes_for(adding, "capabilities_restricted") == {f"{CONTEXT}.capabilities.add": None}


def test_seccomp_is_left_to_the_pod_where_the_pod_has_it(pod: Callable[..., Pod]) -> None:
    bad = {"seccompProfile": {"type": "Unconfined"}}
    assert changes_for(pod({}), "seccompProfile_restricted") == {
        "spec.securityContext.seccompProfile": {"type": "RuntimeDefault"}
    }
    assert changes_for(pod(bad), "seccompProfile_restricted") == {
        f"{CONTEXT}.seccompProfile": {"type": "RuntimeDefault"}
    }
    covered = pod(bad, securityContext={"seccompProfile": {"type": "Localhost", "localhostProfile": "x"}})
    assert changes_for(covered, "seccompProfile_restricted") == {f"{CONTEXT}.seccompProfile": None}


def test_an_selinux_object_that_would_be_empty_goes_whole(pod: Callable[..., Pod]) -> None:
    whole = pod({"seLinuxOptions": {"type": "spc_t", "user": ""}})
    assert changes_for(whole, "seLinuxOptions") == {f"{CONTEXT}.seLinuxOptions": None}
    with_level = pod({"seLinuxOptions": {"type": "spc_t", "level": "s0"}})
    assert changes_for(with_level, "seLinuxOptions") == {f"{CONTEXT}.seLinuxOptions.type": None}


def test_host_ports_of_the_hosts_network_go_with_it(pod: Callable[..., Pod]) -> None:
    container = {"name": "c", "ports": [{"containerPort": 80, "hostPort": 80}]}
    assert changes_for(pod(containers=[container], hostNetwork=True), "hostPorts") == {
        "spec.hostNetwork": None,
        "spec.containers[0].ports[0].hostPort": None,
    }


def test_the_group_of_root_goes_with_root(pod: Callable[..., Pod]) -> None:
    both = pod({"runAsUser": 0, "runAsGroup": 0}, securityContext={"runAsUser": 0, "runAsGroup": 5})
    assert changes_for(both, "runAsUser") == {
        "spec.securityContext.runAsUser": None,
        f"{CONTEXT}.runAsUser": None,
        f"{CONTEXT}.runAsGroup": None,
    }


def test_all_in_another_case_is_written_as_it_must_be(pod: Callable[..., Pod]) -> None:
    meant = pod({"capabilities": {"drop": ["all", "MKNOD", "All"]}})
    assert changes_for(meant, "capabilities_restricted") == {f"{CONTEXT}.capabilities.drop": ("ALL", "MKNOD")}


def test_safe_sysctls_stay(pod: Callable[..., Pod]) -> None:
    sysctls = [{"name": "kernel.msgmax", "value": "1"}, {"name": "net.ipv4.tcp_syncookies", "value": "0"}]
    some = pod(securityContext={"sysctls": sysctls})
    assert changes_for(some, "sysctls") == {
        "spec.securityContext.sysctls": ({"name": "net.ipv4.tcp_syncookies", "value": "0"},)
    }
    none = pod(securityContext={"sysctls": sysctls[:1]})
    assert changes_for(none, "sysctls") == {"spec.securityContext.sysctls": None}


def test_a_windows_pod_is_told_of_the_version_that_knows_it(pod: Callable[..., Pod]) -> None:
    windows = pod(os={"name": "windows"})
    facts = facts_of(windows)
    for result in evaluate(Level.RESTRICTED, Version(24), windows):
        if result.check != "runAsNonRoot":
            made = remedy(facts, result)
            assert made.changes == ()
            assert "v1.25" in made.sentence


def test_annotations_are_named_by_their_key(pod: Callable[..., Pod]) -> None:
    key = "container.apparmor.security.beta.kubernetes.io/c"
    annotated = pod(annotations={key: "unconfined"})
    facts = facts_of(annotated)
    (result,) = evaluate(Level.BASELINE, Version(37), annotated)
    assert remedy(facts, result).changes == (Change(path("metadata", "annotations", Key(key)), None),)
