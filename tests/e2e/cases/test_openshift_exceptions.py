"""Where OpenShift's own rules differ: namespaces that nothing guards, inline CSI volumes, its default warnings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from case_corpus import Checked, case, said, text_of, write
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

RL = "manifests/rl.yaml"
UNGUARDED = ("default", "kube-system", "kube-public", "openshift", "openshift-infra", "openshift-node")


@pytest.mark.parametrize("level", ["ns-rl0", "ns-rl1"])
def test_no_scc_acts_in_a_namespace_of_run_level_0_or_1(podward: Podward, level: str) -> None:
    done = podward("admit", "-f", case(RL), "--namespace", case(f"manifests/{level}.yaml"))
    assert done.returncode == 0, done.stderr
    assert "privileged: true" in done.stdout
    assert "openshift.io/scc" not in done.stdout
    assert "runAsUser" not in done.stdout, "nothing is set either"
    checked = Checked(
        podward, case(RL), case(f"manifests/{level}.yaml"), "--namespace", "shop", "--scc", "restricted-v2"
    )
    assert checked.errors == set()


def test_the_explanation_says_why_no_scc_was_tried(podward: Podward) -> None:
    done = podward("explain", "-f", case(RL), "--namespace", case("manifests/ns-rl0.yaml"), "-o", "json")
    (pod,) = json.loads(done.stdout)["pods"]
    assert pod["admission"]["considered"] == []
    assert "run-level" in pod["admission"]["note"]


def test_another_run_level_is_guarded(podward: Podward) -> None:
    done = podward("admit", "-f", case(RL), "--namespace", case("manifests/ns-rl2.yaml"))
    assert done.returncode == 1
    assert "unable to validate against any security context constraint" in done.stderr


@pytest.mark.parametrize("namespace", UNGUARDED)
def test_nothing_acts_in_the_namespaces_of_the_system(podward: Podward, namespace: str) -> None:
    manifest = text_of(RL).replace("  name: rl\n", f"  name: rl\n  namespace: {namespace}\n")
    done = podward("admit", "--cluster", "openshift", "-f", "-", stdin=manifest)
    assert done.returncode == 0, done.stderr
    assert "openshift.io/scc" not in done.stdout
    assert Checked(podward, "-", "--scc", "restricted-v2", stdin=manifest).errors == set()


@pytest.mark.parametrize("namespace", ["openshift-monitoring", "kube-system-2", "shop"])
def test_other_namespaces_are_guarded(podward: Podward, namespace: str) -> None:
    manifest = text_of(RL).replace("  name: rl\n", f"  name: rl\n  namespace: {namespace}\n")
    assert podward("admit", "--cluster", "openshift", "-f", "-", stdin=manifest).returncode == 1


def test_a_pod_that_names_no_namespace_is_judged_as_in_an_ordinary_one(podward: Podward) -> None:
    """Nobody says that it goes into `default`: a gate would let everything through that names none."""
    assert podward("admit", "--cluster", "openshift", "-f", case(RL)).returncode == 1
    assert Checked(podward, case(RL), "--scc", "restricted-v2").findings("scc/privileged")


def test_plain_kubernetes_knows_no_such_namespaces(podward: Podward) -> None:
    namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-public, labels: {%s: baseline}}\n---\n"
    manifest = namespace % "pod-security.kubernetes.io/enforce" + text_of(RL).replace(
        "  name: rl\n", "  name: rl\n  namespace: kube-public\n"
    )
    done = podward("admit", "--cluster", "kubernetes", "-f", "-", stdin=manifest)
    assert done.returncode == 1
    assert 'violates PodSecurity "baseline:latest"' in done.stderr


INLINE = (
    "uses an inline volume provided by CSIDriver csi.example.com and namespace shop"
    " has a pod security enforce level that is lower than privileged"
)
POD = "manifests/b12n.yaml"


@pytest.mark.parametrize("driver", ["absent", "csidriver-unlabelled", "csidriver"])
def test_an_inline_csi_volume_needs_a_driver_that_is_labelled_for_the_namespace(podward: Podward, driver: str) -> None:
    words = [] if driver == "absent" else ["-f", case(f"manifests/{driver}.yaml")]
    done = podward("admit", "-f", case(POD), *words, "--namespace", case("manifests/ns.yaml"))
    assert done.returncode == 1, done.stdout
    assert f'pods "b12n" is forbidden: b12n {INLINE}' in said(done)


def test_the_driver_may_stand_in_the_same_file(podward: Podward) -> None:
    done = podward("admit", "-f", case("manifests/b12m.yaml"), "--namespace", case("manifests/ns.yaml"))
    assert done.returncode == 1
    assert INLINE in said(done)


def test_an_inline_csi_volume_of_a_driver_for_restricted_is_admitted(podward: Podward) -> None:
    driver = case("manifests/csidriver-restricted.yaml")
    done = podward("admit", "-f", case(POD), "-f", driver, "--namespace", case("manifests/ns.yaml"))
    assert done.returncode == 0, done.stderr
    files = (case(POD), driver, case("manifests/ns.yaml"))
    assert Checked(podward, *files, "--namespace", "shop").errors == set()


@pytest.mark.parametrize("name", ["b12n", "b12m"])
def test_check_names_the_driver(podward: Podward, name: str) -> None:
    files = (case(f"manifests/{name}.yaml"), case("manifests/ns.yaml"))
    checked = Checked(podward, *files, "--namespace", "shop")
    (finding,) = checked.about("csi.example.com", "spec.volumes[0]")
    assert (checked.code, finding["severity"]) == (1, "error")
    assert "CSIDriver" in finding["message"]


def test_plain_kubernetes_asks_no_driver(podward: Podward, tmp_path: Path) -> None:
    namespace = text_of("manifests/ns-kubernetes.yaml").replace("baseline", "restricted")
    done = podward("admit", "-f", case(POD), "--namespace", write(tmp_path, "ns.yaml", namespace))
    assert done.returncode == 0, done.stderr
    assert Checked(podward, case(POD), str(tmp_path / "ns.yaml"), "--namespace", "shop").errors == set()


def test_openshift_warns_of_restricted_and_enforces_nothing_by_default(podward: Podward) -> None:
    """Its Pod Security is configured so: enforce privileged, audit and warn restricted."""
    words = ("-f", case(RL), "--namespace", case("manifests/ns-openshift-plain.yaml"))
    scc = ("--as", "root", "--as-group", "system:masters")
    done = podward("admit", *words, *scc)
    assert done.returncode == 0, done.stderr
    assert 'Warning: would violate PodSecurity "restricted:latest"' in done.stderr
    kubernetes = podward("admit", *words, "--cluster", "kubernetes")
    assert (kubernetes.returncode, "Warning" in kubernetes.stderr) == (0, False)


SCCS = ("manifests/rook-scc.yaml", "manifests/rook-mixed.yaml")


@pytest.mark.parametrize("sccs", SCCS)
def test_scc_takes_the_sccs_of_a_file_and_leaves_the_rest(podward: Podward, sccs: str) -> None:
    words = ("-f", case("manifests/rook-osd-pod.yaml"), "--namespace", case("manifests/ns-rook.yaml"))
    admitted = podward("admit", *words, "--scc", case(sccs))
    assert admitted.returncode == 0, admitted.stderr
    assert "openshift.io/scc: rook-ceph\n" in admitted.stdout
    assert admitted.stdout.count("kind: Pod") == 1
    explained = podward("explain", *words, "--scc", case(sccs))
    assert explained.returncode == 0, explained.stderr
    assert "rook-ceph" in explained.stdout
    files = (case("manifests/rook-osd-pod.yaml"), case("manifests/ns-rook.yaml"))
    assert Checked(podward, *files, "--scc", case(sccs)).errors == set()


def test_a_file_without_any_scc_is_still_an_error_for_scc(podward: Podward) -> None:
    done = podward("admit", "-f", case(RL), "--scc", case("hostile/clean.yaml"))
    assert done.returncode == 2
    assert "clean.yaml" in done.stderr
