"""`podward check` with SCCs, service accounts and namespaces of the files."""

from __future__ import annotations

from checked import BAD, GOOD, HINTED, LABEL, NAMESPACE, Check

BINDING = """---
apiVersion: v1
kind: ServiceAccount
metadata: {name: runner, namespace: shop}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: anyuid, namespace: %s}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "system:openshift:scc:anyuid"}
subjects: [{kind: ServiceAccount, name: runner, namespace: shop}]
"""
AS_ROOT = (
    GOOD.replace(", seccompProfile: {type: RuntimeDefault}", "")
    .replace("  containers:", "  serviceAccountName: runner\n  containers:")
    .replace("securityContext: {allow", "securityContext: {runAsUser: 0, runAsNonRoot: false, allow")
)
CLUSTER = """apiVersion: security.openshift.io/v1
kind: SecurityContextConstraints
metadata: {name: ours}
allowPrivilegedContainer: false
runAsUser: {type: MustRunAsRange}
seLinuxContext: {type: MustRunAs}
fsGroup: {type: MustRunAs}
supplementalGroups: {type: RunAsAny}
volumes: [emptyDir, configMap, secret, projected]
users: []
groups: ["system:authenticated"]
"""


def test_a_named_scc_must_fit(check: Check) -> None:
    check.write("x.yaml", AS_ROOT)
    ran = check.json("x.yaml", "--scc", "restricted-v2")
    assert (ran.code, "scc/runAsUser" in ran.rules) == (1, True)
    assert check("x.yaml", "--scc", "anyuid").code == 0
    assert check("x.yaml", "--scc", "restricted-v2", "--scc", "anyuid").code == 0


def test_a_service_account_that_the_files_grant_an_scc_may_use_it(check: Check) -> None:
    check.write("ours.yaml", CLUSTER)
    check.write("x.yaml", AS_ROOT)
    refused = check.json("x.yaml", "--scc", "ours.yaml", "--ignore", "hint")
    assert (refused.code, {rule.partition("/")[0] for rule in refused.rules}) == (1, {"scc"})
    check.write("x.yaml", AS_ROOT + BINDING % "shop")
    assert check("x.yaml", "--scc", "ours.yaml").code == 0
    check.write("x.yaml", AS_ROOT + BINDING % "elsewhere")
    assert check("x.yaml", "--scc", "ours.yaml").code == 1


def test_an_scc_among_the_checked_files_can_be_named(check: Check) -> None:
    check.write("d/ours.yaml", CLUSTER)
    check.write("d/x.yaml", HINTED)
    assert check("d", "--scc", "ours").code == 0
    assert check("d/x.yaml", "--scc", "ours").code == 2


def test_two_namespaces_of_one_name_are_told_of_and_the_first_counts(check: Check) -> None:
    check.write("a.yaml", NAMESPACE % LABEL % ("enforce", "privileged"))
    check.write("b.yaml", NAMESPACE % LABEL % ("enforce", "restricted"))
    check.write("c.yaml", BAD)
    ran = check.json("a.yaml", "b.yaml", "c.yaml", "--ignore", "policy")
    (finding,) = ran.report["findings"]
    assert (ran.code, finding["rule"], finding["severity"], finding["file"]) == (0, "input/schema", "warning", "b.yaml")
    assert "a.yaml:3" in finding["message"]


def test_a_file_of_scc_may_hold_workloads_too(check: Check) -> None:
    scc = (
        "apiVersion: security.openshift.io/v1\nkind: SecurityContextConstraints\nmetadata: {name: mine}\n"
        "runAsUser: {type: MustRunAs, uid: 5}\nseLinuxContext: {type: RunAsAny}\nvolumes: ['*']\n"
    )
    check.directory.joinpath("a.yaml").write_text(f"{scc}---\n{GOOD}    command: [a]\n")
    assert check("a.yaml", "--scc", "a.yaml", "-o", "json").code in {0, 1}


def test_a_newer_version_that_only_warns_is_told(check: Check) -> None:
    labels = ", ".join(
        (LABEL % ("enforce", "restricted"), LABEL % ("enforce-version", "v1.18"), LABEL % ("warn", "restricted"))
    )
    check.directory.joinpath("a.yaml").write_text(
        f"{NAMESPACE % labels}---\n{GOOD.replace(', seccompProfile: {type: RuntimeDefault}', '')}"
    )
    found = [(each["rule"], each["severity"]) for each in check("a.yaml", "-o", "json").report["findings"]]
    assert ("pss/seccompProfile_restricted", "warning") in found


def test_validation_sees_what_an_scc_sets(check: Check) -> None:
    scc = (
        "apiVersion: security.openshift.io/v1\nkind: SecurityContextConstraints\nmetadata: {name: mine}\n"
        "groups: ['system:authenticated']\nallowPrivilegedContainer: true\nallowPrivilegeEscalation: false\n"
        "runAsUser: {type: RunAsAny}\n"
        "seLinuxContext: {type: RunAsAny}\nvolumes: ['*']\n"
    )
    check.directory.joinpath("scc.yaml").write_text(scc)
    check.directory.joinpath("a.yaml").write_text(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n"
        "  - {name: app, image: 'a:1', securityContext: {privileged: true}}\n"
    )
    assert "api/validation" in check("a.yaml", "--scc", "scc.yaml", "-o", "json").rules


def test_a_templates_namespace_does_not_keep_sccs_out(check: Check) -> None:
    """A controller makes the Pods in its own namespace, which nobody has named here."""
    pod = "{containers: [{name: a, image: b, securityContext: {privileged: true}}], restartPolicy: Never}"
    job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: a}\nspec: {template: {%sspec: " + pod + "}}\n"
    check.write("x.yaml", job % "metadata: {namespace: shop}, ")
    assert check("x.yaml", "--scc", "restricted-v2").code == 1
    check.write("x.yaml", f"apiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: ''}}\nspec: {pod}\n")
    assert check("x.yaml", "--scc", "restricted-v2").code == 1


def test_a_pod_that_no_scc_looks_at_is_told(check: Check) -> None:
    check.write("x.yaml", AS_ROOT.replace("namespace: shop", "namespace: kube-system"))
    ran = check.json("x.yaml", "--scc", "restricted-v2", "--ignore", "hint")
    assert (ran.code, ran.rules) == (0, ["policy/unguarded"])


def test_a_namespace_is_left_to_no_scc_only_where_the_policies_of_the_gate_have_it(check: Check) -> None:
    """Otherwise whoever may change the manifests needs only another namespace."""
    check.write("x.yaml", AS_ROOT.replace("namespace: shop", "namespace: kube-system"))
    check.write("gate/policy.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n")
    asked = ("x.yaml", "--scc", "restricted-v2", "--policy-from", "gate", "--ignore", "hint")
    ran = check.json(*asked)
    assert (ran.code, "scc/runAsUser" in ran.rules) == (1, True)
    check.write("gate/system.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: kube-system}\n")
    ran = check.json(*asked)
    assert (ran.code, ran.rules) == (0, ["policy/unguarded"])
