"""Every kind of workload yields the Pod that its controller would create."""

from __future__ import annotations

import pytest

from podward.api.core import Pod
from podward.documents.reader import decode_documents
from podward.errors import InputError
from podward.path import path
from podward.schema.workload import PodSource, pod_sources

TEMPLATE = "{metadata: {labels: {app: x}, name: ignored}, spec: {containers: [{name: c, image: i}]}}"
KINDS = {
    "Deployment": ("apps/v1", "spec: {template: %s}", "spec.template"),
    "ReplicaSet": ("apps/v1", "spec: {template: %s}", "spec.template"),
    "StatefulSet": ("apps/v1", "spec: {template: %s}", "spec.template"),
    "DaemonSet": ("apps/v1", "spec: {template: %s}", "spec.template"),
    "ReplicationController": ("v1", "spec: {template: %s}", "spec.template"),
    "DeploymentConfig": ("apps.openshift.io/v1", "spec: {template: %s}", "spec.template"),
    "Job": ("batch/v1", "spec: {template: %s}", "spec.template"),
    "CronJob": ("batch/v1", "spec: {jobTemplate: {spec: {template: %s}}}", "spec.jobTemplate.spec.template"),
    "PodTemplate": ("v1", "template: %s", "template"),
}


def sources(text: str) -> list[PodSource]:
    return [source for document in decode_documents(text.encode(), "f.yaml") for source in pod_sources(document)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_becomes_a_pod(kind: str) -> None:
    version, shape, prefix = KINDS[kind]
    text = f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: web, namespace: shop}}\n{shape % TEMPLATE}\n"
    (source,) = sources(text)
    assert (source.kind, source.name, str(source.prefix)) == (kind, "web", prefix)
    assert source.raw == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"labels": {"app": "x"}, "name": "web", "namespace": "shop"},
        "spec": {"containers": [{"name": "c", "image": "i"}]},
    }
    assert source.view.spec.containers is not None
    assert source.view.spec.containers[0].image == "i"
    assert source.where(path("spec", "containers", 0, "image")) == "f.yaml:4"


def test_a_pod_is_itself_and_nothing_is_lost() -> None:
    text = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\n"
        "spec: {nodeName: n1, containers: [{name: c}]}\nstatus: {phase: Running}\n"
    )
    (source,) = sources(text)
    assert source.document.raw == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a"},
        "spec": {"nodeName": "n1", "containers": [{"name": "c"}]},
        "status": {"phase": "Running"},
    }
    assert source.raw == source.document.raw | {"metadata": {"name": "a", "namespace": "default"}}


def test_generate_name_stands_in_for_a_name() -> None:
    (source,) = sources("apiVersion: v1\nkind: Pod\nmetadata: {generateName: web-}\nspec: {containers: [{name: c}]}\n")
    assert source.name == "web"
    assert source.view.metadata.name == "web"


def test_lists_are_opened() -> None:
    pod = "{apiVersion: v1, kind: Pod, metadata: {name: %s}, spec: {containers: [{name: c}]}}"
    text = f"""apiVersion: v1
kind: List
items:
- {pod % "a"}
- apiVersion: v1
  kind: ConfigMap
- apiVersion: v1
  kind: List
  items: [{pod % "b"}]
- apiVersion: v1
  kind: PodList
  items: [{{metadata: {{name: c}}, spec: {{containers: [{{name: c}}]}}}}]
"""
    found = sources(text)
    assert [(source.name, str(source.prefix)) for source in found] == [
        ("a", "items[0]"),
        ("b", "items[2].items[0]"),
        ("c", "items[3].items[0]"),
    ]
    assert [source.where(path("spec")) for source in found] == ["f.yaml:4", "f.yaml:9", "f.yaml:12"]


def test_other_kinds_run_nothing() -> None:
    assert (
        sources("apiVersion: v1\nkind: Service\n---\napiVersion: batch.volcano.sh/v1alpha1\nkind: Job\nspec: 3\n") == []
    )


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("metadata: {}\n", "f.yaml:1", "apiVersion not set, kind not set"),
        ("# c\nkind: Pod\n", "f.yaml:2", "apiVersion not set"),
        ("apiVersion: v1\nkind: ''\n", "f.yaml:1", "kind not set"),
        ("apiVersion: v1\nkind: 3\n", "f.yaml:2", "kind: expected a string, found the number 3"),
        ("apiVersion: {}\nkind: Pod\n", "f.yaml:1", "apiVersion: expected a string, found an object"),
        (
            "kind: Deployment\napiVersion: extensions/v1beta1\n",
            "f.yaml:2",
            'no matches for kind "Deployment" in version "extensions/v1beta1"',
        ),
        ("kind: Pod\napiVersion: v2\n", "f.yaml:2", 'no matches for kind "Pod" in version "v2"'),
        ("kind: Pod\napiVersion: apps/v1\n", "f.yaml:2", 'no matches for kind "Pod" in version "apps/v1"'),
        (
            "kind: CronJob\napiVersion: batch/v1beta1\n",
            "f.yaml:2",
            'no matches for kind "CronJob" in version "batch/v1beta1"',
        ),
        ("kind: List\napiVersion: v1\nitems:\n- 1\n", "f.yaml:4", "items[0]: expected an object, found the number 1"),
        ("kind: List\napiVersion: v1\nitems:\n- kind: Pod\n", "f.yaml:4", "apiVersion not set"),
        (
            "kind: Pod\napiVersion: v1\nspec:\n  containers:\n  - name: c\n    foo: 1\n",
            "f.yaml:6",
            'unknown field "spec.containers[0].foo"',
        ),
        ("kind: Pod\napiVersion: v1\nspec: []\n", "f.yaml:3", "spec: expected an object, found a list"),
    ],
)
def test_what_is_no_object_of_an_api_server_is_refused(text: str, where: str, what: str) -> None:
    with pytest.raises(InputError) as caught:
        sources(text)
    assert (caught.value.where, caught.value.what) == (where, what)


@pytest.mark.parametrize("spec", ["", "spec:", "spec: {}", "spec: {containers: null}", "spec: {containers: [null]}"])
def test_nulls_and_absent_parts_are_zero_values(spec: str) -> None:
    (source,) = sources(f"apiVersion: v1\nkind: Pod\nmetadata:\n{spec}\n")
    assert isinstance(source.view, Pod)


def test_a_null_in_a_list_is_its_zero_value() -> None:
    (source,) = sources(
        "apiVersion: v1\nkind: Pod\nspec:\n  securityContext: {supplementalGroups: [null]}\n"
        "  containers: [{args: [null, a], env: [null], volumeMounts: [{}], resources: {limits: {cpu: null}}}]\n"
    )
    spec = source.view.spec
    assert spec.security_context is not None
    assert spec.security_context.supplemental_groups == (0,)
    assert spec.containers is not None
    assert spec.containers[0].args == ("", "a")
    assert spec.containers[0].env is not None
    assert spec.containers[0].env[0].name == ""


def test_reading_leaves_the_document_as_it_was() -> None:
    text = "apiVersion: v1\nkind: Pod\nmetadata: {generateName: a-}\nspec: {containers: [{name: c, args: [null]}]}\n"
    (document,) = decode_documents(text.encode(), "f")
    before = repr(document.raw)
    pod_sources(document)
    assert repr(document.raw) == before


CONTAINERS = "containers: [{name: a, image: b}]"


@pytest.mark.parametrize(
    "text",
    [
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: ''}}\nspec: {{{CONTAINERS}}}\n",
        f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: null}}\nspec: {{{CONTAINERS}}}\n",
        (
            "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec:\n"
            f"  template: {{metadata: {{namespace: shop}}, spec: {{{CONTAINERS}, restartPolicy: Never}}}}\n"
        ),
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: Rollout\nmetadata: {name: a}\n"
            f"spec: {{template: {{metadata: {{namespace: shop}}, spec: {{{CONTAINERS}}}}}}}\n"
        ),
        (
            "apiVersion: template.openshift.io/v1\nkind: Template\nmetadata: {name: a, namespace: shop}\n"
            f"objects: [{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{{CONTAINERS}}}}}]\n"
        ),
        (
            "apiVersion: example.org/v1\nkind: Bundle\nmetadata: {name: a, namespace: shop}\n"
            f"items: [{{apiVersion: v1, kind: Pod, metadata: {{name: a}}, spec: {{{CONTAINERS}}}}}]\n"
        ),
        (
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: a, namespace: ''}\n"
            "spec: {templates: [{name: t, container: {image: b}}]}\n"
        ),
    ],
    ids=["empty", "null", "template", "custom template", "Template", "list", "workflow"],
)
def test_only_the_workload_itself_says_a_namespace(text: str) -> None:
    (source,) = pod_sources(decode_documents(text.encode(), "x.yaml")[0])
    assert not source.says_namespace
    assert source.view.metadata.namespace in {"default", "", None}
