"""`podward admit` as a user calls it: what is stored on standard output, what is refused on standard error."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonpatch
import pytest
import yaml
from warm_command import run

PROJECT = Path(__file__).parent.parent.parent
SCC = PROJECT / "tests" / "e2e" / "policies" / "scc"
NAMESPACE = SCC / "namespace.yaml"
BAD = PROJECT / "tests" / "cli" / "bad-policies"
POD = """apiVersion: v1
kind: Pod
metadata:
  name: web
spec:
  restartPolicy: Never
  containers:
  - name: c
    image: busybox:root
"""
WIDE = POD.replace("name: web", "name: wide").replace("spec:\n", "spec:\n  hostNetwork: true\n")
TEMPLATE = """apiVersion: {version}
kind: {kind}
metadata: {{name: app}}
spec:
  selector: {{matchLabels: {{a: b}}}}
  template:
    metadata: {{labels: {{a: b}}}}
    spec:
      restartPolicy: {restart}
      containers: [{{name: c, image: 'busybox:root', securityContext: {{runAsUser: 7}}}}]
"""


def admit(*words: str | Path, stdin: str = POD, file: str = "-") -> subprocess.CompletedProcess[str]:
    return run("admit", "-f", file, *map(str, words), stdin=stdin)


def stored(*words: str | Path, stdin: str = POD) -> Any:  # noqa: ANN401  # JSON
    ran = admit(*words, "-o", "json", stdin=stdin)
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def refused(*words: str | Path, stdin: str = POD) -> str:
    ran = admit(*words, stdin=stdin)
    assert ran.returncode == 1, ran.stderr
    assert ran.stdout == ""
    return ran.stderr


def namespace(tmp_path: Path, **labels: str) -> Path:
    file = tmp_path / "namespace.yaml"
    described = {f"pod-security.kubernetes.io/{name}": value for name, value in labels.items()}
    metadata = {"name": "prod", "labels": described}
    file.write_text(json.dumps({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}), encoding="utf-8")
    return file


def scc(tmp_path: Path, **more: Any) -> Path:  # noqa: ANN401  # JSON
    file = tmp_path / "scc.json"
    base = {
        "apiVersion": "security.openshift.io/v1",
        "kind": "SecurityContextConstraints",
        "metadata": {"name": "team"},
        "priority": 20,
        "volumes": ["*"],
        **{name: {"type": "RunAsAny"} for name in ("runAsUser", "seLinuxContext", "fsGroup", "supplementalGroups")},
    }
    file.write_text(json.dumps({**base, **more}), encoding="utf-8")
    return file


# --- what is stored -----------------------------------------------------------------------------------------------


def test_an_ordinary_pod_is_stored_with_what_the_namespace_gives() -> None:
    ran = admit("--namespace", NAMESPACE)
    assert (ran.returncode, ran.stderr) == (0, "")
    pod = yaml.safe_load(ran.stdout)
    assert list(pod)[:2] == ["apiVersion", "kind"]
    assert pod["metadata"]["namespace"] == "monitor"
    assert pod["metadata"]["annotations"]["openshift.io/scc"] == "restricted-v2"
    assert pod["spec"]["containers"][0]["securityContext"]["runAsUser"] == 1000230000
    assert pod["spec"]["securityContext"]["fsGroup"] == 1000230000
    assert pod["spec"]["securityContext"]["seLinuxOptions"]["level"] == "s0:c15,c10"


@pytest.mark.parametrize(
    "text",
    [
        POD,
        POD.replace("  name: web", "  name: web\n  namespace: monitor"),
        POD.replace("name: web", "generateName: x-"),
    ],
    ids=["without-namespace", "with-namespace", "generated-name"],
)
def test_the_patch_applied_to_what_was_sent_is_what_is_stored(text: str) -> None:
    patch = json.loads(admit("--namespace", NAMESPACE, "-o", "patch", stdin=text).stdout)
    whole = stored("--namespace", NAMESPACE, stdin=text)
    assert jsonpatch.apply_patch(yaml.safe_load(text), patch) == whole
    assert all(operation["op"] in {"add", "replace"} for operation in patch)


def test_what_is_stored_is_admitted_unchanged() -> None:
    first = admit("--namespace", NAMESPACE).stdout
    assert admit("--namespace", NAMESPACE, stdin=first).stdout == first
    assert admit("--namespace", NAMESPACE, "-o", "patch", stdin=first).stdout == "[]\n"


def test_several_pods_are_documents_a_list_or_a_patch_on_each_line() -> None:
    two = f"{POD}---\n{POD.replace('web', 'other')}"
    names = [pod["metadata"]["name"] for pod in yaml.safe_load_all(admit("--namespace", NAMESPACE, stdin=two).stdout)]
    assert names == ["web", "other"]
    whole = stored("--namespace", NAMESPACE, stdin=two)
    assert (whole["kind"], len(whole["items"])) == ("List", 2)
    lines = admit("--namespace", NAMESPACE, "-o", "patch", stdin=two).stdout.splitlines()
    assert [bool(json.loads(line)) for line in lines] == [True, True]


def test_one_of_several_is_refused_and_the_others_are_stored() -> None:
    ran = admit("--namespace", NAMESPACE, stdin=f"{POD}---\n{WIDE}")
    assert ran.returncode == 1
    assert yaml.safe_load(ran.stdout)["metadata"]["name"] == "web"
    assert ran.stderr.startswith('podward: <stdin>:11: Error from server (Forbidden): pods "wide" is forbidden: ')


@pytest.mark.parametrize("form", ["yaml", "json", "patch"])
def test_nothing_is_printed_where_nothing_is_stored(form: str) -> None:
    assert 'pods "wide" is forbidden' in refused("--namespace", NAMESPACE, "-o", form, stdin=WIDE)


# --- which namespace ----------------------------------------------------------------------------------------------


def test_a_namespace_nobody_described_has_openshifts_first_ranges_and_a_note_says_so() -> None:
    ran = admit("-o", "json", "--cluster", "openshift")
    assert json.loads(ran.stdout)["spec"]["containers"][0]["securityContext"]["runAsUser"] == 1000000000
    assert "nobody described namespace default: uids 1000000000/10000 are assumed" in ran.stderr


def test_a_pod_keeps_the_namespace_that_it_names() -> None:
    ran = admit("--namespace", NAMESPACE, stdin=POD.replace("  name: web", "  name: web\n  namespace: shop"))
    assert yaml.safe_load(ran.stdout)["metadata"]["namespace"] == "shop"
    assert "nobody described namespace shop" in ran.stderr


def test_a_namespace_may_stand_in_a_directory_or_come_on_standard_input(tmp_path: Path) -> None:
    file = tmp_path / "pod.yaml"
    file.write_text(POD, encoding="utf-8")
    ran = admit("--namespace", "-", stdin=NAMESPACE.read_text(encoding="utf-8"), file=str(file))
    assert yaml.safe_load(ran.stdout)["metadata"]["namespace"] == "monitor"
    folder = tmp_path / "namespaces"
    folder.mkdir()
    (folder / "one.yaml").write_bytes(NAMESPACE.read_bytes())
    assert stored("--namespace", folder)["metadata"]["namespace"] == "monitor"


def test_a_namespace_among_the_manifests_is_about_to_be_created_and_gets_ranges(tmp_path: Path) -> None:
    made = namespace(tmp_path).read_text(encoding="utf-8")
    pod = POD.replace("  name: web", "  name: web\n  namespace: prod")
    assert (
        stored("--cluster", "openshift", stdin=f"{pod}---\n{made}")["spec"]["securityContext"]["fsGroup"] == 1000000000
    )


def test_a_described_namespace_without_ranges_refuses_and_a_note_says_what_is_missing(tmp_path: Path) -> None:
    file = namespace(tmp_path)
    said = refused("--cluster", "openshift", "--namespace", file)
    assert f"{file}:1: namespace prod lacks openshift.io/sa.scc.uid-range and openshift.io/sa.scc.mcs" in said
    assert 'error fetching namespace "prod": unable to find annotation openshift.io/sa.scc.uid-range' in said


# --- who asks -----------------------------------------------------------------------------------------------------


def test_a_group_that_may_use_more_gets_more() -> None:
    usual = "security.openshift.io/validated-scc-subject-type"
    pod = stored("--namespace", NAMESPACE, "--as", "boss", "--as-group", "system:masters")
    assert pod["metadata"]["annotations"] | {usual: ""} == {"openshift.io/scc": "anyuid", usual: ""}
    assert pod["metadata"]["annotations"][usual] == "user"


def test_whoever_is_named_is_authenticated_and_the_anonymous_user_is_not(tmp_path: Path) -> None:
    policy = scc(tmp_path, groups=["system:authenticated"])
    words = ("--namespace", NAMESPACE, "--scc", policy)
    assert stored(*words, "--as", "bob")["metadata"]["annotations"]["openshift.io/scc"] == "team"
    said = refused(*words, "--as", "system:anonymous")
    assert 'provider "team": Forbidden: not usable by user or serviceaccount' in said
    assert 'provider "restricted-v2": Forbidden: not usable' in said


def test_a_service_account_is_impersonated_with_its_groups(tmp_path: Path) -> None:
    policy = scc(tmp_path, groups=["system:serviceaccounts:ci"])
    words = ("--namespace", NAMESPACE, "--scc", policy)
    pod = stored(*words, "--as", "system:serviceaccount:ci:builder")
    assert pod["metadata"]["annotations"]["openshift.io/scc"] == "team"


@pytest.mark.parametrize(
    ("kind", "version", "restart", "controller"),
    [
        ("ReplicaSet", "apps/v1", "Always", "replicaset-controller"),
        ("StatefulSet", "apps/v1", "Always", "statefulset-controller"),
        ("DaemonSet", "apps/v1", "Always", "daemon-set-controller"),
        ("Deployment", "apps/v1", "Always", "replicaset-controller"),
        ("Job", "batch/v1", "Never", "job-controller"),
    ],
)
def test_a_workloads_pods_are_made_by_its_controller(
    tmp_path: Path, kind: str, version: str, restart: str, controller: str
) -> None:
    text = TEMPLATE.format(kind=kind, version=version, restart=restart)
    policy = scc(tmp_path, users=[f"system:serviceaccount:kube-system:{controller}"])
    pod = stored("--namespace", NAMESPACE, "--scc", policy, stdin=text)
    assert pod["metadata"]["annotations"]["openshift.io/scc"] == "team"
    mine = scc(tmp_path, users=["bob"])
    said = refused("--namespace", NAMESPACE, "--scc", mine, "--as", "bob", stdin=text)
    assert 'provider "team": Forbidden: not usable' in said


@pytest.mark.parametrize(
    ("kind", "version", "restart", "called"),
    [("DaemonSet", "apps/v1", "Always", "app-"), ("Job", "batch/v1", "Never", "app-")],
)
def test_a_controllers_pod_is_known_by_the_prefix_of_its_name(
    kind: str, version: str, restart: str, called: str
) -> None:
    said = refused("--namespace", NAMESPACE, stdin=TEMPLATE.format(kind=kind, version=version, restart=restart))
    assert f'pods "{called}" is forbidden' in said


def test_a_role_and_binding_beside_the_scc_grant_its_use(tmp_path: Path) -> None:
    granted = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "team"},
        "rules": [
            {
                "apiGroups": ["security.openshift.io"],
                "resources": ["securitycontextconstraints"],
                "resourceNames": ["team"],
                "verbs": ["use"],
            }
        ],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "team", "namespace": "monitor"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "team"},
        "subjects": [{"kind": "ServiceAccount", "name": "default"}],
    }
    policy = scc(tmp_path)
    together = tmp_path / "all.yaml"
    together.write_text(
        "\n---\n".join([policy.read_text(encoding="utf-8"), json.dumps(granted), json.dumps(binding)]), "utf-8"
    )
    pod = stored("--namespace", NAMESPACE, "--scc", together)
    assert pod["metadata"]["annotations"]["openshift.io/scc"] == "team"
    assert pod["metadata"]["annotations"]["security.openshift.io/validated-scc-subject-type"] == "serviceaccount"


# --- Pod Security -------------------------------------------------------------------------------------------------


def test_pod_security_refuses_in_its_own_words(tmp_path: Path) -> None:
    said = refused("--cluster", "kubernetes", "--namespace", namespace(tmp_path, enforce="restricted"))
    assert said.startswith("podward: <stdin>:1: Error from server (Forbidden): ")
    assert (
        'pods "web" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false' in said
    )


def test_a_warning_is_told_and_the_pod_is_stored(tmp_path: Path) -> None:
    ran = admit("--cluster", "kubernetes", "--namespace", namespace(tmp_path, warn="restricted"))
    assert ran.returncode == 0
    assert ran.stderr.startswith('Warning: would violate PodSecurity "restricted:latest": allowPrivilegeEscalation')
    assert "annotations" not in yaml.safe_load(ran.stdout)["metadata"]


def test_a_plain_cluster_takes_no_sccs(tmp_path: Path) -> None:
    ran = admit("--cluster", "kubernetes", "--scc", scc(tmp_path))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "plain Kubernetes has no SCCs" in ran.stderr


# --- bad input ----------------------------------------------------------------------------------------------------


def test_an_invalid_pod_is_bad_input_with_every_line() -> None:
    ran = admit("--namespace", NAMESPACE, stdin=POD.replace("busybox:root", "''").replace("name: c", "name: C"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "* <stdin>:8: spec.containers[0].name: Invalid value" in ran.stderr
    assert "* <stdin>:9: spec.containers[0].image: Required value" in ran.stderr


@pytest.mark.parametrize(
    ("option", "name", "told"),
    [
        ("--scc", "scc_unknown_strategy", ":6: .*runAsUser.type: Invalid value"),
        ("--scc", "scc_inverted_uid_range", ":8: .*runAsUser.uidRangeMin: 4000 is above uidRangeMax, 3000"),
        ("--scc", "scc_a_pod", ":2: a Pod of v1 is no SecurityContextConstraints"),
        ("--namespace", "namespace_inverted_range", r":6: .*metadata.annotations\[openshift.io/sa.scc.uid-range\]"),
        ("--namespace", "namespace_no_size", r"metadata.annotations\[openshift.io/sa.scc"),
        ("--namespace", "namespace_a_pod", ": a Pod is no Namespace"),
    ],
)
def test_bad_policies_name_file_line_and_field(option: str, name: str, told: str) -> None:
    import re

    ran = admit(option, BAD / f"{name}.yaml")
    assert (ran.returncode, ran.stdout) == (2, "")
    assert re.search(f"^podward: {re.escape(str(BAD / name))}.yaml.*{told}", ran.stderr, re.MULTILINE), ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize("words", [("--as-group", "x"), ("--namespace", "no-such-file"), ("--cluster", "nomad")])
def test_wrong_words_are_usage_errors(words: tuple[str, ...]) -> None:
    ran = admit(*words)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "Traceback" not in ran.stderr


def test_manifests_without_a_pod_are_bad_input() -> None:
    ran = admit(stdin=NAMESPACE.read_text(encoding="utf-8"))
    assert (ran.returncode, ran.stdout) == (2, "")
    assert "no Pod in it, only Namespace" in ran.stderr


def test_control_characters_of_a_manifest_do_not_reach_the_terminal() -> None:
    hostile = WIDE.replace("name: wide", 'generateName: "\\e[2J"')
    assert "\x1b" not in admit("--namespace", NAMESPACE, stdin=hostile).stderr


# --- start-up -----------------------------------------------------------------------------------------------------


def imported(program: str) -> set[str]:
    program = f"import sys\nsys.modules['typing_extensions'] = None\n{program}\nprint(*sys.modules)"
    ran = subprocess.run([sys.executable, "-I", "-c", program], capture_output=True, text=True, check=True)
    return set(ran.stdout.split())


def test_admitting_imports_nothing_heavy_and_nothing_that_runs() -> None:
    found = imported("import podward.cli.main, podward.cli.admit, podward.cli.admitting, podward.cli.inputs")
    assert "podward.stages.admission" in found
    heavy = {"dataclasses", "inspect", "json", "logging", "pathlib", "random", "socket", "subprocess", "tempfile"}
    assert sorted(found & heavy) == []
    assert sorted(name for name in found if name.startswith("podward.runtime")) == []


def test_running_imports_no_policies() -> None:
    """Neither by what it imports, nor by what it asks of admission about the Pod that it runs."""
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [{"name": "c"}]}}
    pod["spec"]["containers"][0]["image"] = "i"  # type: ignore[index]  # it is JSON
    found = imported(
        "import podward.cli.main, podward.cli.run, podward.cli.running, podward.cli.subjects\n"
        "from podward.api.referenced_objects import NO_OBJECTS\n"
        "from podward.documents.document import Document\n"
        "from podward.schema.workload import pod_sources\n"
        f"podward.cli.subjects.subject(pod_sources(Document('p', {pod}))[0], NO_OBJECTS)"
    )
    assert {"podward.cli.running", "podward.stages.admission.order"} <= found
    rooms = ("podward.policy.scc", "podward.policy.pss", "podward.access", "podward.check")
    assert sorted(name for name in found if name.startswith(rooms)) == []


# --- ephemeral containers -----------------------------------------------------------------------------------------

DEBUGGED = """apiVersion: v1
kind: Pod
metadata: {name: web, namespace: prod, uid: 8e1f2d8c-0000-4000-8000-000000000001}
spec:
  containers: [{name: c, image: 'busybox:root'}]
  ephemeralContainers:
  - {name: first, image: 'busybox:root', securityContext: {privileged: true}}
  - {name: second, image: 'busybox:root'}
"""


@pytest.mark.parametrize("cluster", ["kubernetes", "openshift"])
def test_a_debug_container_is_refused_by_its_name_and_the_pod_stays(tmp_path: Path, cluster: str) -> None:
    described = ("--namespace", namespace(tmp_path, enforce="baseline")) if cluster == "kubernetes" else ()
    words = ("--cluster", cluster, *described)
    ran = admit(*words, "-o", "json", stdin=DEBUGGED)
    assert ran.returncode == 1
    assert "<stdin>:7: ephemeral container first: Error from server (Forbidden): pods" in ran.stderr
    pod = json.loads(ran.stdout)
    assert [each["name"] for each in pod["spec"]["ephemeralContainers"]] == ["second"]
    patch = json.loads(admit(*words, "-o", "patch", stdin=DEBUGGED).stdout)
    sent = yaml.safe_load(DEBUGGED)
    assert jsonpatch.apply_patch(sent, patch) == pod


def test_a_pod_without_uid_is_not_created_with_ephemeral_containers(tmp_path: Path) -> None:
    ran = admit(
        "--namespace", namespace(tmp_path), stdin=DEBUGGED.replace(", uid: 8e1f2d8c-0000-4000-8000-000000000001", "")
    )
    assert ran.returncode == 2
    assert "cannot be set on create" in ran.stderr


def test_a_workflows_patch_that_cannot_be_applied_is_an_error_beside_the_pod() -> None:
    workflow = (
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: w, namespace: prod}\nspec:\n  templates:\n"
        "  - container: {image: 'busybox:root'}\n    podSpecPatch: 'hostNetwork: %s'\n"
    )
    ran = admit("--cluster", "kubernetes", stdin=workflow % "{{workflow.parameters.x}}")
    assert (ran.returncode, "name: main" in ran.stdout) == (2, True)
    assert "<stdin>:7: the Pods are told without what podSpecPatch makes of them" in ran.stderr
    ran = admit("--cluster", "kubernetes", stdin=workflow % "true")
    assert (ran.returncode, yaml.safe_load(ran.stdout)["spec"]["hostNetwork"]) == (0, True)
