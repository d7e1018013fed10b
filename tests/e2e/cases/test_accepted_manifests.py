"""What the API server accepts after its own admission: default accounts, image triggers, a namespace too many."""

from __future__ import annotations

import pytest
from case_corpus import Checked, case, said, text_of
from podward_command import Podward

pytestmark = pytest.mark.needs("root", "crun", "busybox", "skopeo", "umoci")

TOKENS = ("nosa", "nosapod", "csitok", "csitok2", "token-job", "token-account-name-empty")


@pytest.mark.parametrize("name", TOKENS)
def test_a_token_needs_no_account_that_is_named(podward: Podward, name: str) -> None:
    checked = Checked(podward, case(f"manifests/{name}.yaml"), "--level", "privileged")
    assert (checked.code, checked.errors, checked.workloads) == (0, set(), 1)


@pytest.mark.parametrize("name", ["nosa", "nosapod", "csitok"])
def test_it_is_admitted_and_explained_as_the_default_account(podward: Podward, name: str) -> None:
    for cluster in ("kubernetes", "openshift"):
        done = podward("admit", "--cluster", cluster, "-f", case(f"manifests/{name}.yaml"))
        assert done.returncode == 0, done.stderr
        assert "serviceAccountName: default" in done.stdout
    assert podward("explain", "-f", case(f"manifests/{name}.yaml")).returncode == 0


def test_an_account_that_is_not_mounted_is_still_there(podward: Podward) -> None:
    """The rule itself stays: automountServiceAccountToken has nothing to do with it."""
    manifest = text_of("manifests/nosapod.yaml").replace("spec:", "spec:\n  automountServiceAccountToken: false")
    assert Checked(podward, "-", "--level", "privileged", stdin=manifest).errors == set()


@pytest.mark.parametrize("name", ["dc3", "trigger-deployment"])
def test_an_image_trigger_fills_a_blank_image(podward: Podward, name: str) -> None:
    checked = Checked(podward, case(f"manifests/{name}.yaml"), "--level", "privileged")
    assert (checked.code, checked.errors, checked.workloads) == (0, set(), 1)
    explained = podward("explain", "-f", case(f"manifests/{name}.yaml"))
    assert explained.returncode == 0, said(explained)
    assert "unknown" in explained.stdout


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("trigger-none", "spec.template.spec.containers[0].image"),
        ("trigger-other-container", "spec.template.spec.containers[1].image"),
    ],
)
def test_a_blank_image_that_no_trigger_fills_is_refused(podward: Podward, name: str, path: str) -> None:
    checked = Checked(podward, case(f"manifests/{name}.yaml"), "--level", "privileged")
    assert [finding["path"] for finding in checked.findings("api/validation")] == [path]
    assert checked.code == 1


SHOP = "manifests/namespace-with-namespace.yaml"


def test_the_namespace_of_a_namespace_is_dropped(podward: Podward) -> None:
    checked = Checked(podward, case(SHOP), "--level", "privileged")
    assert (checked.code, checked.workloads, checked.findings("input")) == (0, 1, [])
    admitted = podward("admit", "--cluster", "kubernetes", "-f", case(SHOP))
    assert admitted.returncode == 0, admitted.stderr
    assert "namespace: shop" in admitted.stdout
    explained = podward("explain", "--cluster", "kubernetes", "-f", case(SHOP))
    assert explained.returncode == 0, explained.stderr
    assert "Pod shop/p" in explained.stdout


SCOPED = {
    "ClusterRole": "apiVersion: rbac.authorization.k8s.io/v1\nrules: []\n",
    "PersistentVolume": (
        "apiVersion: v1\nspec: {capacity: {storage: 1Gi}, accessModes: [ReadWriteOnce], hostPath: {path: /srv/data}}\n"
    ),
    "CSIDriver": "apiVersion: storage.k8s.io/v1\nspec: {attachRequired: false}\n",
    "SecurityContextConstraints": text_of("hostile/wide-scc.yaml").replace("metadata: {name: wide}\n", ""),
}


@pytest.mark.parametrize("kind", SCOPED)
def test_so_is_that_of_every_cluster_scoped_object(podward: Podward, kind: str) -> None:
    body = SCOPED[kind].replace(f"kind: {kind}\n", "")
    other = f"kind: {kind}\nmetadata: {{name: x, namespace: shop}}\n{body}---\n"
    checked = Checked(podward, "-", "--level", "privileged", stdin=other + text_of("hostile/clean.yaml"))
    assert (checked.code, checked.workloads, checked.errors) == (0, 1, set())


def test_one_bad_file_does_not_silence_the_others(podward: Podward) -> None:
    words = ("-f", case("manifests/helm1.yaml"), "-f", case("hostile/clean.yaml"))
    done = podward("explain", *words)
    assert done.returncode == 2
    assert "helm1.yaml" in done.stderr
    assert "Pod default/clean" in done.stdout
    admitted = podward("admit", "--cluster", "kubernetes", *words)
    assert admitted.returncode == 2
    assert "name: clean" in admitted.stdout
