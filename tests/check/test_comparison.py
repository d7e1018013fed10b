"""What changes for a workload when policies change: which kinds of change there are, from what to what, and why."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.access.named_sccs import NamedSccs
from podward.api.caller import User
from podward.api.core import Namespace
from podward.api.json_value import JsonObject
from podward.api.policy_change import ChangeKind, ComparedWorkload, PolicyChange, PolicyComparison, WorkloadOutcome
from podward.check.comparison import compared_workload, named_workload, policy_changes
from podward.check.judging import judge
from podward.check.policy_set import UNHELD, PolicySet, SccTerms
from podward.check.scc_changes import Side, Sides
from podward.decision import Source
from podward.documents.document import Document
from podward.policy.pss.standard import Level, Standard, parse_version
from podward.policy.scc import default_set, passes
from podward.schema.scc.reading import scc_view
from podward.schema.view import typed_view
from podward.schema.workload import pod_sources

EVERYBODY = User("jane", ("system:authenticated",))
USED = frozenset(default_set.USED_BY_ALL)


def container(**context: object) -> JsonObject:
    return {"name": "app", "image": "registry.example/app", "securityContext": context}  # type: ignore[dict-item]


def pod(**context: object) -> JsonObject:
    metadata: JsonObject = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": [container(**context)]}}


def namespace(first: int = 1000650000, labels: dict[str, str] | None = None) -> Namespace:
    return typed_view(
        {
            "metadata": {
                "name": "shop",
                "labels": {f"pod-security.kubernetes.io/{mode}": level for mode, level in (labels or {}).items()},
                "annotations": {
                    "openshift.io/sa.scc.uid-range": f"{first}/10000",
                    "openshift.io/sa.scc.supplemental-groups": f"{first}/10000",
                    "openshift.io/sa.scc.mcs": f"s0:c26,c{first % 7}",
                },
            }
        },
        Namespace,
        "Namespace",
    )


def scc(name: str, **fields: object) -> JsonObject:
    """An SCC as vendors ship them: everything is restricted-v2's, but for these fields."""
    like = next(raw for raw in default_set.default_sccs() if raw["metadata"]["name"] == "restricted-v2")  # type: ignore[index,call-overload]
    return {**like, "metadata": {"name": name}, "groups": ["system:authenticated"], **fields}  # type: ignore[dict-item]


def nowhere(_: Source) -> str:
    return ""


def side(
    *own: JsonObject,
    of: Namespace | None = None,
    standard: Standard = UNHELD,
    used: frozenset[str] | None = USED,
    without: str = "",
    where: Callable[[Source], str] = nowhere,
) -> Side:
    """A side with these SCCs beside the default ones; with no SCCs at all where `used` is None."""
    held_namespace = of or namespace()
    terms = None
    if used is not None:
        every = [raw for raw in (*default_set.default_sccs(), *own) if raw["metadata"]["name"] != without]  # type: ignore[index,call-overload]
        ready = passes.prepare(map(scc_view, every), ())
        terms = SccTerms(ready, NamedSccs(used), lambda _: EVERYBODY)
    namespaces = {"shop": held_namespace}
    return Side(
        "x", PolicySet(namespaces, standard, terms), where, lambda user, *_: f"{user.username} was named", namespaces
    )


def both(old: Side, new: Side, raw: JsonObject) -> tuple[tuple[PolicyChange, ...], ComparedWorkload]:
    source = pod_sources(Document("web.yaml", raw))[0]
    before, after = judge(source, 0, old.policies), judge(source, 0, new.policies)
    about = named_workload(source, new)
    return policy_changes(before, after, about, Sides(old, new)), compared_workload(before, after, about)


def changes(old: Side, new: Side, raw: JsonObject) -> dict[ChangeKind, PolicyChange]:
    found, _ = both(old, new, raw)
    assert len({change.kind for change in found}) == len(found), "one row of each kind"
    return {change.kind: change for change in found}


EVIL = scc(
    "evil",
    priority=20,
    runAsUser={"type": "RunAsAny"},
    fsGroup={"type": "RunAsAny"},
    requiredDropCapabilities=["MKNOD"],
)


def test_the_same_policies_change_nothing() -> None:
    found, place = both(side(EVIL), side(EVIL), pod())
    assert found == ()
    assert place.before == place.after == WorkloadOutcome(refused=False, scc="evil")


def test_a_third_partys_scc_with_a_high_priority_captures_pods() -> None:
    found = changes(side(), side(EVIL, where=lambda source: "evil.yaml:4" if source.name == "scc evil" else ""), pod())
    assert list(found) == [
        ChangeKind.CAPTURED,
        ChangeKind.UID,
        ChangeKind.GROUPS,
        ChangeKind.CAPABILITIES,
        ChangeKind.SETTINGS,
    ]
    captured = found[ChangeKind.CAPTURED]
    assert (captured.before, captured.after) == ("restricted-v2, priority 0", "evil, priority 20")
    assert captured.why == "scc evil priority 20 before restricted-v2 0"
    assert str(captured.source) == "scc evil priority"
    assert captured.policy == "evil.yaml:4"
    assert captured.also == (
        "scc evil itself names the group system:authenticated (evil.yaml:4)",
        "it changes: uid, groups, capabilities, other settings",
    )


def test_what_a_capture_changes_is_told_with_the_strategy_that_does_it() -> None:
    found = changes(side(), side(EVIL), pod())
    uid = found[ChangeKind.UID]
    assert (uid.before, uid.after) == ("1000650000", "the image's user")
    assert uid.why.startswith(
        "scc evil runAsUser RunAsAny sets no runAsUser; before, namespace shop annotation openshift"
    )
    assert str(uid.source) == "scc evil runAsUser.type"
    assert (found[ChangeKind.GROUPS].before, found[ChangeKind.GROUPS].after) == ("fsGroup 1000650000", "fsGroup unset")
    assert (found[ChangeKind.CAPABILITIES].before, found[ChangeKind.CAPABILITIES].after) == ("drop ALL", "drop MKNOD")
    assert "requiredDropCapabilities" in found[ChangeKind.CAPABILITIES].why


def test_a_capture_that_sets_the_same_is_still_told() -> None:
    found = changes(side(), side(scc("twin", priority=5)), pod())
    assert list(found) == [ChangeKind.CAPTURED]
    assert found[ChangeKind.CAPTURED].also[-1] == "it sets nothing else"


def test_at_the_same_priority_the_more_restrictive_one_captures() -> None:
    why = changes(side(), side(scc("a-twin")), pod())[ChangeKind.CAPTURED].why
    assert why == "scc a-twin before restricted-v2 at the same priority, 0: ordered by name"


def test_an_scc_that_nobody_may_use_captures_nothing() -> None:
    assert changes(side(), side({**EVIL, "groups": []}), pod()) == {}


def test_openshifts_own_scc_that_may_be_used_now_is_no_capture() -> None:
    found = changes(side(), side(used=USED | {"anyuid"}), pod())
    assert next(iter(found)) is ChangeKind.SCC
    assert "before, nobody who makes the Pod could use scc anyuid" in found[ChangeKind.SCC].also


def test_an_scc_that_may_be_used_no_longer_is_the_reason() -> None:
    found = changes(
        side(used=frozenset({"nonroot-v2", "anyuid"})), side(used=frozenset({"nonroot-v2"})), pod(runAsUser=5)
    )
    assert found[ChangeKind.SCC].why == "nobody who makes the Pod may use scc anyuid any longer"


def test_an_scc_that_is_gone_is_the_reason() -> None:
    found = changes(side(EVIL), side(), pod())
    assert found[ChangeKind.SCC].why == "scc evil is no longer there, and scc restricted-v2 is the next that fits"
    assert (found[ChangeKind.UID].before, found[ChangeKind.UID].after) == ("the image's user", "1000650000")


def test_an_scc_that_refuses_now_is_the_reason() -> None:
    narrow: JsonObject = {**EVIL, "runAsUser": {"type": "MustRunAs", "uid": 7}}
    found = changes(side(EVIL), side(narrow), pod(runAsUser=1000650000))
    assert found[ChangeKind.SCC].why.startswith(
        "scc evil refuses it now: spec.containers[0].securityContext.runAsUser: Invalid"
    )
    assert str(found[ChangeKind.SCC].source).startswith("scc evil runAsUser")


def test_another_range_of_the_namespace_is_another_uid_group_and_level() -> None:
    found = changes(side(), side(of=namespace(1000700000)), pod())
    assert list(found) == [ChangeKind.UID, ChangeKind.GROUPS, ChangeKind.SELINUX]
    uid = found[ChangeKind.UID]
    assert (uid.before, uid.after) == ("1000650000", "1000700000")
    assert uid.why.startswith("namespace shop annotation openshift.io/sa.scc.uid-range: ")
    assert found[ChangeKind.GROUPS].after == "fsGroup 1000700000"
    assert found[ChangeKind.SELINUX].after == f"s0:c26,c{1000700000 % 7}"


def test_a_pod_that_names_its_user_is_refused_where_the_range_moves_away() -> None:
    found = changes(side(), side(of=namespace(1000700000)), pod(runAsUser=1000650007))
    assert list(found) == [ChangeKind.REFUSED]
    refused = found[ChangeKind.REFUSED]
    assert (refused.before, refused.after) == ("admitted by scc restricted-v2", "refused by scc restricted-v2")
    assert "1000650007: must be in the ranges: [1000700000, 1000709999]" in refused.why


def test_an_scc_that_sets_a_field_of_its_own_is_told_too() -> None:
    like = {**scc("team", priority=1), "readOnlyRootFilesystem": False}
    found = changes(side(like), side({**like, "readOnlyRootFilesystem": True}), pod())
    assert list(found) == [ChangeKind.SETTINGS]
    assert (found[ChangeKind.SETTINGS].before, found[ChangeKind.SETTINGS].after) == (
        "readOnlyRootFilesystem unset",
        "readOnlyRootFilesystem true",
    )


def test_containers_are_named_where_they_differ() -> None:
    raw = pod()
    raw["spec"] = {"containers": [container(), {**container(runAsUser=1000650003), "name": "proxy"}]}
    found = changes(side(), side(EVIL), raw)
    assert found[ChangeKind.UID].before == "app: 1000650000"


def test_a_stricter_label_refuses() -> None:
    old, new = (side(of=namespace(labels={"enforce": level}), used=None) for level in ("baseline", "restricted"))
    found = changes(old, new, pod())
    assert list(found) == [ChangeKind.REFUSED]
    refused = found[ChangeKind.REFUSED]
    assert (refused.before, refused.after) == ("admitted", "refused by restricted:latest")
    assert refused.why.startswith('restricted:latest: Container "app" lets its processes gain privileges')
    assert len(refused.also) == 3
    back = changes(new, old, pod())
    assert list(back) == [ChangeKind.ALLOWED]
    assert back[ChangeKind.ALLOWED].why == "baseline:latest has nothing against it now"


def versions(old: str, new: str) -> tuple[Side, Side]:
    first, second = (
        side(of=namespace(), standard=Standard(Level.RESTRICTED, version), used=None)
        for version in map(parse_version, (old, new))
        if version is not None
    )
    return first, second


def test_a_version_that_holds_more_refuses() -> None:
    """Since 1.22 restricted demands that ALL capabilities are dropped; since 1.19 a seccomp profile."""
    raw = pod(runAsNonRoot=True, allowPrivilegeEscalation=False, seccompProfile={"type": "RuntimeDefault"})
    found = changes(*versions("v1.21", "v1.22"), raw)
    assert found[ChangeKind.REFUSED].after == "refused by restricted:v1.22"
    assert "does not drop ALL capabilities" in found[ChangeKind.REFUSED].why
    assert found[ChangeKind.REFUSED].also == ()


def test_a_version_that_makes_an_exception_allows() -> None:
    """Since 1.25 restricted asks Windows Pods for nothing that only Linux has."""
    raw = pod(runAsNonRoot=True)
    raw["spec"]["os"] = {"name": "windows"}  # type: ignore[index,call-overload]
    found = changes(*versions("v1.24", "v1.25"), raw)
    assert list(found) == [ChangeKind.ALLOWED]
    assert (found[ChangeKind.ALLOWED].before, found[ChangeKind.ALLOWED].after) == (
        "refused by restricted:v1.24",
        "admitted",
    )


def test_what_both_refuse_for_the_same_reasons_is_no_change() -> None:
    """The version has another name, and asks for the same."""
    found, place = both(*versions("v1.30", "v1.31"), pod(privileged=True))
    assert found == ()
    assert place.before == place.after == WorkloadOutcome(refused=True)
    assert PolicyComparison("a", "b", found, (place,)).summary.always_refused == 1


def test_what_both_refuse_for_other_reasons_tells_which_are_new_which_are_gone_and_which_stay() -> None:
    old, new = (side(standard=Standard(level), used=None) for level in (Level.BASELINE, Level.RESTRICTED))
    raw = pod(privileged=True)
    raw["spec"] = {**raw["spec"], "volumes": [{"name": "v", "hostPath": {"path": "/srv"}}]}  # type: ignore[dict-item]
    (found,), place = both(old, new, raw)
    assert found.kind is ChangeKind.REASONS
    assert found.before == "refused by baseline:latest for hostPathVolumes, privileged"
    assert found.after == (
        "refused by restricted:latest for privileged, allowPrivilegeEscalation, capabilities_restricted, "
        "restrictedVolumes, runAsNonRoot, seccompProfile_restricted"
    )
    assert found.reasons is not None
    assert found.why == found.reasons.new[0]
    assert found.reasons.gone == ('baseline:latest: Volume "v" is a path of the node.',)
    assert found.reasons.kept == ('restricted:latest: Container "app" is privileged.',)
    assert [text for text in found.also if text.startswith(("no longer, ", "as before, "))] == [
        'no longer, baseline:latest: Volume "v" is a path of the node.',
        'as before, restricted:latest: Container "app" is privileged.',
    ]
    summary = PolicyComparison("a", "b", (found,), (place,)).summary
    assert (summary.changed, summary.always_refused, summary.kinds) == (1, 0, {ChangeKind.REASONS: 1})


def test_fewer_reasons_are_a_change_too() -> None:
    new, old = (side(standard=Standard(level), used=None) for level in (Level.BASELINE, Level.RESTRICTED))
    (found,), _ = both(old, new, pod(privileged=True))
    assert found.reasons is not None
    assert found.reasons.new == ()
    assert found.why == f"no longer, {found.reasons.gone[0]}"


def test_a_refusal_that_moves_from_pod_security_to_an_scc_is_told() -> None:
    old = side(of=namespace(labels={"enforce": "restricted"}), used=None)
    (found,), _ = both(old, side(), pod(privileged=True, runAsUser=5))
    assert found.kind is ChangeKind.REASONS
    assert found.after == "refused by scc restricted-v2 for runAsUser, privileged"
    assert str(found.source) == "namespace shop metadata.annotations[openshift.io/sa.scc.uid-range]"


def test_another_range_is_another_reason() -> None:
    (found,), _ = both(side(), side(of=namespace(1000700000)), pod(runAsUser=5))
    assert found.reasons is not None
    assert found.reasons.new[0].endswith("5: must be in the ranges: [1000700000, 1000709999]")
    assert found.reasons.gone[0].endswith("5: must be in the ranges: [1000650000, 1000659999]")


def test_what_pod_security_refuses_after_an_scc_took_it_has_no_scc() -> None:
    _, place = both(
        side(), side(of=namespace(labels={"enforce": "restricted"}), used=USED | {"anyuid"}), pod(runAsUser=0)
    )
    assert (place.before, place.after) == (WorkloadOutcome(refused=True), WorkloadOutcome(refused=True))


def test_pod_security_that_lets_a_workload_in_is_the_reason_where_the_scc_did_before() -> None:
    strict = side(of=namespace(labels={"enforce": "restricted"}), used=USED | {"anyuid"})
    found = changes(strict, side(used=USED | {"anyuid"}), pod(runAsUser=0))
    assert found[ChangeKind.ALLOWED].why == "privileged:latest has nothing against it now"
    assert found[ChangeKind.ALLOWED].after == "admitted by scc anyuid"


def labelled(**labels: str) -> Side:
    def where(source: Source) -> str:
        last = str(source.path).rpartition("/")[2].removesuffix("]") if source.path else ""
        return f"ns.yaml:{list(labels).index(last)}" if last in labels else ""

    return side(of=namespace(labels=labels), used=None, where=where)


def test_the_label_that_differs_is_cited() -> None:
    ready = pod(runAsNonRoot=True, allowPrivilegeEscalation=False, seccompProfile={"type": "RuntimeDefault"})
    old = labelled(**{"enforce": "restricted", "enforce-version": "v1.21"})
    new = labelled(**{"enforce": "restricted", "enforce-version": "v1.22"})
    assert str(changes(old, new, ready)[ChangeKind.REFUSED].source).endswith(
        "[pod-security.kubernetes.io/enforce-version]"
    )
    new = labelled(enforce="restricted")
    assert str(changes(old, new, ready)[ChangeKind.REFUSED].source).endswith("[pod-security.kubernetes.io/enforce]")


@pytest.mark.parametrize(
    ("old", "new", "alike"),
    [
        (side(used=None), side(used=None), True),
        (side(used=None), side(of=namespace(labels={"enforce": "baseline"}), used=None), False),
        (side(of=namespace(5), used=None), side(used=None), False),
    ],
)
def test_sides_are_alike_for_a_namespace_where_all_is_the_same(old: Side, new: Side, alike: bool) -> None:  # noqa: FBT001  # what is expected
    assert Sides(old, new, same_sccs=True).alike("shop") is alike
    assert Sides(old, new, same_sccs=False).alike("shop") is False


@pytest.mark.parametrize("mode", ["warn", "audit"])
def test_warnings_come_and_go(mode: str) -> None:
    quiet, loud = side(of=namespace(), used=None), side(of=namespace(labels={mode: "restricted"}), used=None)
    warned = changes(quiet, loud, pod())
    assert list(warned) == [ChangeKind.WARNED]
    assert "capabilities_restricted" in warned[ChangeKind.WARNED].after
    assert ("(audit)" in warned[ChangeKind.WARNED].after) is (mode == "audit")
    assert list(changes(loud, quiet, pod())) == [ChangeKind.CLEARED]


def test_the_line_is_that_of_the_workloads_name() -> None:
    from podward.documents.reader import read_all

    text = "kind: List\napiVersion: v1\nitems:\n- kind: Deployment\n  apiVersion: apps/v1\n  metadata:\n    name: web\n"
    text += "  spec:\n    selector: {}\n    template:\n      spec:\n        containers: [{name: app, image: x}]\n"
    document = read_all(text.encode(), "web.yaml").documents[0]
    assert named_workload(pod_sources(document)[0], side()).line == 7


def test_sums_count_workloads() -> None:
    found, place = both(side(), side(EVIL), pod())
    comparison = PolicyComparison("a", "b", found, (place,))
    summary = comparison.summary
    assert (summary.workloads, summary.changed, summary.unchanged) == (1, 1, 0)
    assert summary.kinds[ChangeKind.CAPTURED] == 1
    assert comparison.exit_code == 1
