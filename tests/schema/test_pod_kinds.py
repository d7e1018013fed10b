"""Where custom resources hold their Pods: the table, a user's rows, Argo's workflows, and what is not known."""

from __future__ import annotations

import pytest

from podward.api.core import Container
from podward.documents.reader import decode_documents
from podward.errors import LimitError
from podward.path import path
from podward.schema.pod_kinds import PodKind, holds_containers, with_rows
from podward.schema.strict import MisfitError
from podward.schema.workload import PodSource, pod_sources


def containers_of(source: PodSource) -> tuple[Container, ...]:
    return source.view.spec.containers or ()


CONTAINERS = "containers: [{name: c, image: 'a:1'}]"


def sources(text: str, *rows: PodKind) -> tuple[PodSource, ...]:
    (document,) = decode_documents(text.encode(), "f.yaml")
    return pod_sources(document, with_rows(rows))


def of_kind(kind: str, group: str, spec: str) -> str:
    return f"apiVersion: {group}/v1\nkind: {kind}\nmetadata: {{name: a, namespace: shop}}\nspec: {spec}\n"


@pytest.mark.parametrize(
    ("kind", "group", "spec", "place"),
    [
        ("Rollout", "argoproj.io", "{template: {spec: {%s}}}", "spec.template"),
        ("Experiment", "argoproj.io", "{templates: [{template: {spec: {%s}}}]}", "spec.templates[0].template"),
        ("Service", "serving.knative.dev", "{template: {spec: {%s, timeoutSeconds: 5}}}", "spec.template"),
        ("Revision", "serving.knative.dev", "{%s, containerConcurrency: 5}", ""),
        ("ScaledJob", "keda.sh", "{jobTargetRef: {template: {spec: {%s}}}}", "spec.jobTargetRef.template"),
    ],
)
def test_a_template_is_found_at_its_place(kind: str, group: str, spec: str, place: str) -> None:
    (source,) = sources(of_kind(kind, group, spec % CONTAINERS))
    assert (str(source.prefix), source.kind, source.name) == (place, kind, "a")
    assert source.view.metadata.namespace == "shop"
    assert source.says_namespace


def test_an_operators_deployments_have_their_own_names() -> None:
    deployments = "".join(f"{{name: {name}, spec: {{template: {{spec: {{{CONTAINERS}}}}}}}}}, " for name in "uw")
    text = of_kind(
        "ClusterServiceVersion", "operators.coreos.com", f"{{install: {{spec: {{deployments: [{deployments}]}}}}}}"
    )
    assert [(each.kind, each.name) for each in sources(text)] == [("Deployment", "u"), ("Deployment", "w")]


def test_no_template_is_no_pod() -> None:
    assert sources(of_kind("Rollout", "argoproj.io", "{workloadRef: {name: a}}")) == ()
    assert sources(of_kind("Rollout", "example.com", f"{{template: {{spec: {{{CONTAINERS}}}}}}}")) == ()


def test_knatives_containers_need_no_name() -> None:
    (one,) = sources(of_kind("Service", "serving.knative.dev", "{template: {spec: {containers: [{image: a}]}}}"))
    assert containers_of(one)[0].name == "user-container"


@pytest.mark.parametrize(
    "spec",
    ["{template: {spec: {hostNetwrok: true}}}", "{template: {spec: {hostNetwork: 'yes'}}}", "{template: {spec: 5}}"],
)
def test_what_does_not_fit_is_an_error_at_its_place(spec: str) -> None:
    with pytest.raises(MisfitError) as caught:
        sources(of_kind("Rollout", "argoproj.io", spec))
    assert str(caught.value.mistakes[0].path).startswith("spec.template.spec")


MINE = PodKind("Mine", "example.com", ("spec.pods[*].podSpec",), None)


def test_a_users_row_may_name_a_spec_without_a_template() -> None:
    (source,) = sources(
        of_kind("Mine", "example.com", f"\n  pods:\n  - podSpec:\n      own: 1\n      {CONTAINERS}"), MINE
    )
    assert containers_of(source)[0].image == "a:1"
    at = path("spec", "containers", 0, "image")
    assert source.where(at) == "f.yaml:8"
    assert str(source.in_file(at)) == "spec.pods[0].podSpec.containers[0].image"


WORKFLOW = """\
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: w-}
spec:
  hostNetwork: true
  serviceAccountName: argo
  volumes: [{name: v, emptyDir: {}}]
  templateDefaults: {securityContext: {runAsUser: 5}}
  templates:
  - name: all
    steps:
    - - name: inner
        inline: {container: {image: i}}
  - name: script
    serviceAccountName: own
    script: {image: s, source: x}
    sidecars: [{name: side, image: s2, mirrorVolumeMounts: true}]
    initContainers: [{name: first, image: s3}]
  - name: set
    containerSet: {containers: [{name: a, image: c1}, {name: b, image: c2, dependencies: [a]}]}
"""


def test_each_template_of_a_workflow_that_runs_containers_is_a_pod() -> None:
    inner, script, several = sources(WORKFLOW)
    assert [containers_of(one)[0].name for one in (inner, script, several)] == ["main", "main", "a"]
    assert [container.image for container in containers_of(script)] == ["s", "s2"]
    assert [container.image for container in script.view.spec.init_containers or ()] == ["s3"]
    assert (inner.view.spec.service_account_name, script.view.spec.service_account_name) == ("argo", "own")
    assert inner.view.spec.security_context is not None
    assert inner.view.spec.security_context.run_as_user == 5
    assert all(
        one.view.spec.host_network and one.view.spec.restart_policy == "Never" for one in (inner, script, several)
    )
    second = path("spec", "containers", 1, "image")
    assert [str(one.in_file(second)) for one in (script, several)] == [
        "spec.templates[1].sidecars[0].image",
        "spec.templates[2].containerSet.containers[1].image",
    ]
    assert [one.where(path("spec", "containers", 0)) for one in (inner, script)] == ["f.yaml:13", "f.yaml:16"]
    assert script.where(path("spec", "hostNetwork")) == "f.yaml:5"


def test_a_workflow_cannot_make_pods_without_end() -> None:
    volumes = ", ".join(f"{{name: v{number}, emptyDir: {{}}}}" for number in range(300))
    templates = "".join(f"  - {{name: t{number}, container: {{image: i}}}}\n" for number in range(300))
    with pytest.raises(LimitError):
        sources(f"{WORKFLOW.partition('  volumes')[0]}  volumes: [{volumes}]\n  templates:\n{templates}")


@pytest.mark.parametrize(
    ("value", "held"),
    [
        ({"spec": {"template": {"spec": {"containers": [{"image": "a"}]}}}}, True),
        ({"spec": {"steps": [{"image": "a"}]}}, True),
        ({"spec": [{"container": {"image": "a"}}]}, True),
        ({"spec": {"containers": [{"name": "a"}]}}, False),
        ({"spec": {"image": "a", "containers": {"type": "array"}}}, False),
    ],
)
def test_containers_are_seen_wherever_they_stand(value: dict[str, object], held: bool) -> None:  # noqa: FBT001
    assert holds_containers(value) == held  # type: ignore[arg-type]  # JSON
