"""Which changes are made together."""

from __future__ import annotations

from podward.api.explanation import Change
from podward.api.finding import Finding, Severity, WorkloadRef
from podward.api.json_value import JsonObject
from podward.check.fixes import merged_changes, removing_emptied, split_fixable
from podward.documents.reader import decode_documents
from podward.path import Path, path
from podward.schema.workload import PodSource, pod_sources

POD = """apiVersion: apps/v1
kind: DaemonSet
metadata: {name: csi}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      containers:
      - {name: free, image: i, securityContext: {privileged: true}}
      - {name: bound, image: i, securityContext: {privileged: true}, volumeMounts: [%s]}
      volumes: [{name: v, emptyDir: {}}]
"""
MOUNT = "{name: v, mountPath: /v, mountPropagation: Bidirectional}"
CONTAINERS = path("spec", "template", "spec", "containers")


def source(text: str = POD % MOUNT) -> PodSource:
    (document,) = decode_documents(text.encode(), "f.yaml")
    (found,) = pod_sources(document)
    return found


def nowhere(_: str) -> None:
    """No image is here."""


def finding(container: int, field: str, value: bool | None) -> Finding:  # noqa: FBT001  # of the field
    place = CONTAINERS / container / "securityContext" / field
    return Finding(
        f"pss/{field}", Severity.ERROR, "f.yaml", 1, 0, place, WorkloadRef(), "", changes=(Change(place, value),)
    )


def both(container: int) -> list[Finding]:
    """What restricted asks of a privileged container: alone, the first is refused."""
    return [finding(container, "allowPrivilegeEscalation", value=False), finding(container, "privileged", None)]


def test_what_the_api_server_takes_is_made_all_at_once() -> None:
    wanted = [*both(0), *both(1)]
    made = split_fixable(source(POD % ""), wanted, nowhere)
    assert (made.fixable, made.unfixable) == (tuple(wanted), ())


def test_what_it_would_refuse_is_left_out_with_the_reason_and_nothing_else_is() -> None:
    free, bound = both(0), both(1)
    made = split_fixable(source(), [*free, *bound], nowhere)
    assert made.fixable == tuple(free)
    assert [each for each, _ in made.unfixable] == bound
    assert "privileged" in made.unfixable[0][1]
    assert made.unfixable[1][1].endswith("available only to privileged containers")


def test_what_was_refused_before_stands_in_nobody_s_way() -> None:
    broken = source((POD % "").replace("name: free, image: i", "name: FREE_, image: i"))
    assert split_fixable(broken, both(0), nowhere).unfixable == ()


def test_the_first_of_two_values_counts() -> None:
    place = Path(("a",))
    assert merged_changes([Change(place, 1), Change(place, 2)]) == (Change(place, 1),)


def test_what_would_be_left_empty_goes_whole_and_no_more_than_that() -> None:
    context = path("spec", "securityContext")
    adds = [Change(context / "capabilities" / "add", None)]
    alone: JsonObject = {"spec": {"securityContext": {"capabilities": {"add": ["X"]}}}}
    assert removing_emptied(alone, adds) == (Change(context, None),)
    beside: JsonObject = {"spec": {"securityContext": {"capabilities": {"add": ["X"]}, "privileged": True}}}
    assert removing_emptied(beside, adds) == (Change(context / "capabilities", None),)
    dropping = [*adds, Change(context / "capabilities" / "drop", ("ALL",))]
    assert removing_emptied(alone, dropping) == tuple(dropping)
    mounted: JsonObject = {"spec": {"volumes": [{"hostPath": {"path": "/"}}]}}
    only = [Change(path("spec", "volumes", 0, "hostPath"), None)]
    assert removing_emptied(mounted, only) == tuple(only)


def test_what_was_empty_before_stays() -> None:
    asked = [Change(path("spec", "securityContext", "runAsUser"), None)]
    assert removing_emptied({"spec": {"securityContext": {}}}, asked) == tuple(asked)


def test_many_changes_in_one_object_are_one_removal() -> None:
    options: JsonObject = {f"k{number}": "" for number in range(3)}
    raw: JsonObject = {"spec": {"securityContext": {"seLinuxOptions": options, "windowsOptions": {"a": "b"}}}}
    place = path("spec", "securityContext")
    changes = [Change(place / "seLinuxOptions" / name, None) for name in options]
    assert removing_emptied(raw, changes) == (Change(place / "seLinuxOptions", None),)
    changes.append(Change(place / "windowsOptions" / "a", None))
    assert removing_emptied(raw, changes) == (Change(place, None),)
    assert removing_emptied(raw, [*changes, Change(place / "runAsUser", 1)])[0] == Change(place / "runAsUser", 1)
