"""A podSpecPatch of Argo's changes the Pods of a workflow, or it is told why it could not."""

from __future__ import annotations

import pytest

from podward.documents.reader import decode_documents
from podward.errors import LimitError
from podward.path import Path, path
from podward.schema.pod_spec_patch import read
from podward.schema.workflows import unapplied
from podward.schema.workload import PodSource, pod_sources

WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: w}
spec:
  podSpecPatch: '{"hostNetwork": true, "terminationGracePeriodSeconds": 5}'
  volumes: [{name: v, emptyDir: {}}]
  templates:
  - name: a
    container:
      image: i
      env: [{name: A, value: one}, {name: B, value: two}]
      command: [a, b]
      securityContext: {runAsNonRoot: true, runAsUser: 7}
    podSpecPatch: |
      terminationGracePeriodSeconds: 9
      containers:
      - name: main
        command: [c]
        env: [{name: B, value: three}]
        securityContext: {privileged: true, runAsNonRoot: null}
      - {name: extra, image: x}
  - name: plain
    container: {image: i}
"""
CONTEXT = path("spec", "containers", 0, "securityContext")


def sources(text: str) -> list[PodSource]:
    return [source for document in decode_documents(text.encode(), "f.yaml") for source in pod_sources(document)]


def why(text: str) -> list[tuple[str, str]]:
    (document,) = decode_documents(text.encode(), "f.yaml")
    return [(str(place), reason) for place, reason in unapplied(document.raw, path("spec"))]


def test_objects_and_lists_with_a_merge_key_are_merged_and_other_lists_replaced() -> None:
    first, second = sources(WORKFLOW)
    assert first.raw["spec"] == {
        "restartPolicy": "Never",
        "hostNetwork": True,
        "terminationGracePeriodSeconds": 9,
        "volumes": [{"name": "v", "emptyDir": {}}],
        "containers": [
            {
                "name": "main",
                "image": "i",
                "command": ["c"],
                "env": [{"name": "A", "value": "one"}, {"name": "B", "value": "three"}],
                "securityContext": {"runAsUser": 7, "privileged": True},
            },
            {"name": "extra", "image": "x"},
        ],
    }
    assert second.view.spec.host_network
    assert second.raw["spec"]["containers"] == [{"name": "main", "image": "i"}]  # type: ignore[index,call-overload]
    assert why(WORKFLOW) == []


def test_what_a_patch_sets_or_takes_away_is_at_its_line() -> None:
    first, second = sources(WORKFLOW)
    lines = {
        CONTEXT / "privileged": "f.yaml:14",
        CONTEXT / "runAsNonRoot": "f.yaml:14",
        CONTEXT / "runAsUser": "f.yaml:13",
        path("spec", "containers", 1, "image"): "f.yaml:14",
        path("spec", "hostNetwork"): "f.yaml:5",
    }
    assert {place: first.where(place) for place in lines} == lines
    assert str(first.in_file(CONTEXT / "privileged")) == (
        "spec.templates[0].podSpecPatch.containers[0].securityContext.privileged"
    )
    assert str(first.in_file(CONTEXT / "runAsUser")) == "spec.templates[0].container.securityContext.runAsUser"
    assert str(second.in_file(path("spec", "hostNetwork"))) == "spec.podSpecPatch.hostNetwork"


def test_the_defaults_patch_holds_where_a_template_has_none() -> None:
    text = WORKFLOW.replace("  templates:", "  templateDefaults: {podSpecPatch: 'hostPID: true'}\n  templates:")
    first, second = sources(text)
    assert [one.view.spec.host_pid for one in (first, second)] == [None, True]


def test_a_container_of_argos_own_counts_for_what_the_patch_says_of_it() -> None:
    text = WORKFLOW.replace(
        '"hostNetwork": true', '"containers": [{"name": "wait", "securityContext": {"runAsUser": 0}}]'
    )
    (_, waiting) = sources(text)
    (_, wait) = waiting.view.spec.containers or ()
    assert (wait.name, wait.security_context.run_as_user if wait.security_context else None) == ("wait", 0)
    assert waiting.where(path("spec", "containers", 1, "image")) == "f.yaml:5"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("containers: [{name: main, image: '{{inputs.parameters.image}}'}]", "an expression"),
        ("{{inputs.parameters.patch}}", "an expression"),
        ("hostNetwork: true\nhostNetwork: false", "can't be read"),
        ("hostNetwork: [", "can't be read"),
        ("hostNetwork: true\n---\nhostPID: true", "2 documents"),
        ("[]", "can't be read"),
        ("# nothing", "0 documents"),
        ("HostNetwork: true", "unknown field"),
        ("hostNetwork: 'yes'", "expected true or false"),
        ("containers: [{image: x}]", "has no name"),
        ("containers: [{name: main, ports: [{hostPort: 80}]}]", "has no containerPort"),
        ("nodeSelector: {$patch: replace}", "$patch is a directive"),
        ("containers: [{name: main, $patch: delete}]", "unknown field"),
    ],
)
def test_what_cannot_be_applied_is_known_by_why(text: str, reason: str) -> None:
    assert reason in read(text, Path()).unknown
    assert reason not in read("hostNetwork: true", Path()).unknown


def test_a_patch_that_is_no_text_is_not_applied() -> None:
    assert read({"hostNetwork": True}, Path()).unknown == "it is no text"


def test_a_patch_that_cannot_be_applied_leaves_the_pod_and_is_told_once() -> None:
    text = WORKFLOW.replace('"hostNetwork": true', '"hostNetwork": {{x}}')
    first, second = sources(text)
    assert (first.view.spec.host_network, second.view.spec.host_network) == (None, None)
    assert first.where(CONTEXT / "privileged") == "f.yaml:14"
    ((place, _),) = why(text)
    assert place == "spec.podSpecPatch"


@pytest.mark.parametrize(
    ("templates", "place"),
    [
        ("  - {name: r, resource: {action: get}}", "spec.podSpecPatch"),
        ("  - {name: s, steps: [[{name: t, templateRef: {name: other, template: t}}]]}", "spec.podSpecPatch"),
        ("  - {name: r, resource: {action: get}, podSpecPatch: 'hostPID: true'}", "spec.templates[0].podSpecPatch"),
    ],
)
def test_pods_that_are_not_here_are_told(templates: str, place: str) -> None:
    head = WORKFLOW.partition("  - name: a")[0]
    assert place in dict(why(head + templates))


def test_a_template_that_runs_nothing_needs_no_patch() -> None:
    head = WORKFLOW.partition("  - name: a")[0]
    assert why(f"{head}  - {{name: s, steps: [], podSpecPatch: '{{{{x}}}}'}}\n") == []


def test_patches_count_among_what_a_workflow_may_make() -> None:
    ports = ", ".join(f"{{containerPort: {number}}}" for number in range(1, 300))
    templates = "".join(f"  - {{name: t{number}, container: {{image: i}}}}\n" for number in range(300))
    head = WORKFLOW.partition("  podSpecPatch")[0]
    with pytest.raises(LimitError):
        sources(f"{head}  podSpecPatch: 'containers: [{{name: main, ports: [{ports}]}}]'\n  templates:\n{templates}")
