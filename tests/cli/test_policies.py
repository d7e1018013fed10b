"""Policies are gathered from files, beside those that OpenShift ships with; what is none says where and what to do."""

from __future__ import annotations

from pathlib import Path as File

import pytest

from podward.access.policies import PolicyDocuments
from podward.access.rbac import Rbac
from podward.api.caller import User, service_account
from podward.cli.inputs import documents
from podward.cli.policies import gather
from podward.decision import Origin, Source
from podward.errors import InputError
from podward.path import path
from podward.policy.scc.access import use_of
from podward.policy.scc.default_set import NAMES

CORPUS = File(__file__).parent.parent / "cli" / "bad-policies"
EVERYBODY = User("alice", ("system:authenticated",))
SCC = """apiVersion: security.openshift.io/v1
kind: SecurityContextConstraints
metadata:
  name: team
runAsUser: {type: RunAsAny}
seLinuxContext: {type: RunAsAny}
volumes: [secret]
"""
NAMESPACE = """apiVersion: v1
kind: Namespace
metadata:
  name: shop
  annotations:
    openshift.io/sa.scc.uid-range: 1000230000/10000
    openshift.io/sa.scc.supplemental-groups: 1000230000/10000, 5-10
    openshift.io/sa.scc.mcs: s0:c15,c10
"""
ACCOUNT = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: app, namespace: shop}\n"
RBAC = """apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: use-team}
rules:
- {apiGroups: [security.openshift.io], resources: [securitycontextconstraints], resourceNames: [team], verbs: [use]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: app-uses-team, namespace: shop}
roleRef: {kind: ClusterRole, name: use-team}
subjects:
- {kind: ServiceAccount, name: app}
"""
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers: [{name: c, image: i}]\n"


def files(directory: File, **texts: str) -> list[str]:
    """Files of these names and texts."""
    written = []
    for name, text in texts.items():
        file = directory / f"{name}.yaml"
        file.write_text(text)
        written.append(str(file))
    return written


def gathered(kind: str, file: str) -> PolicyDocuments:
    if kind == "scc":
        return gather([file])
    return gather((), [file]) if kind == "namespace" else gather((), (), documents([file]))


def granted(rbac: Rbac, user: User, scc: str, namespace: str) -> Source | None:
    """What allows the use of the SCC."""
    return rbac.authorize(use_of(scc, user, namespace)).source


@pytest.mark.parametrize("case", sorted(CORPUS.glob("*.yaml")), ids=lambda case: case.stem)
def test_a_bad_policy_says_where_and_what_to_do(case: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CORPUS)
    with pytest.raises(InputError) as caught:
        gathered(case.stem.split("_")[0], case.name)
    assert f"{caught.value}\n" == case.with_suffix(".error").read_text()
    assert caught.value.exit_code == 2


def test_without_files_there_are_the_default_sccs_and_their_rbac() -> None:
    found = gather()
    assert tuple(source.name for source in found.sccs) == NAMES
    assert (found.own, found.warnings, found.rbac.dangling, found.namespaces) == (frozenset(), (), (), {})
    everybody = [name for name in NAMES if granted(found.rbac, EVERYBODY, name, "shop")]
    assert everybody == ["restricted-v2", "restricted-v3"]
    assert all(granted(found.rbac, User("system:admin"), name, "shop") for name in NAMES)
    assert not any(granted(found.rbac, service_account("shop", "app"), name, "shop") for name in NAMES)


def test_the_source_of_a_default_right_is_the_default_table() -> None:
    source = granted(gather().rbac, EVERYBODY, "restricted-v2", "shop")
    assert source is not None
    assert source.origin is Origin.POLICY
    assert str(source) == "OpenShift's default RBAC, ClusterRoleBinding system:openshift:scc:restricted-v2"


def test_an_scc_of_a_file_is_added_defaulted_and_knows_its_lines(tmp_path: File) -> None:
    (file,) = files(tmp_path, scc=SCC)
    found = gather([file])
    assert tuple(source.name for source in found.sccs) == (*NAMES, "team")
    team = found.scc("team")
    assert team is not None
    assert (team.view.users, team.view.fs_group.type, team.view.allow_privilege_escalation) == ((), "RunAsAny", True)
    assert team.item.where(path("runAsUser", "type")) == f"{file}:5"
    assert found.own == {"team"}


def test_an_scc_of_a_default_ones_name_takes_its_place(tmp_path: File) -> None:
    found = gather(files(tmp_path, scc=SCC.replace("team", "restricted-v2")))
    assert tuple(source.name for source in found.sccs) == NAMES
    replaced = found.scc("restricted-v2")
    assert replaced is not None
    assert replaced.view.volumes == ("secret",)


def test_policies_among_the_manifests_count_and_the_rest_is_passed_over(tmp_path: File) -> None:
    foreign = "apiVersion: iam.aws.crossplane.io/v1beta1\nkind: Role\nmetadata: {name: x}\nspec: {}\n"
    names = files(tmp_path, all=f"{SCC}---\n{NAMESPACE}---\n{ACCOUNT}---\n{RBAC}---\n{POD}---\n{foreign}")
    found = gather((), (), documents(names))
    assert found.own == {"team"}
    assert found.service_accounts == {("shop", "app")}
    assert (found.namespaces["shop"].view.metadata.annotations or {})["openshift.io/sa.scc.mcs"] == "s0:c15,c10"
    source = granted(found.rbac, service_account("shop", "app"), "team", "shop")
    assert str(source) == f"{names[0]}:33 subjects[0]"


def test_what_belongs_to_sccs_may_stand_in_their_file(tmp_path: File) -> None:
    found = gather(files(tmp_path, scc=f"{SCC}---\n{RBAC}"))
    assert granted(found.rbac, service_account("shop", "app"), "team", "shop") is not None


def test_of_a_directory_only_the_policies_are_taken(tmp_path: File) -> None:
    files(tmp_path, scc=SCC, pod=POD)
    assert gather([str(tmp_path)]).own == {"team"}


def test_a_directory_without_an_scc_is_an_error(tmp_path: File) -> None:
    files(tmp_path, pod=POD)
    with pytest.raises(InputError) as caught:
        gather([str(tmp_path)])
    assert caught.value.where == str(tmp_path)


def test_the_same_object_given_twice_is_one_and_two_of_one_name_are_an_error(tmp_path: File) -> None:
    first, same, other = files(tmp_path, first=SCC, same=SCC, other=SCC.replace("secret", "nfs"))
    assert gather([first, same], (), documents([first])).own == {"team"}
    with pytest.raises(InputError) as caught:
        gather([first], (), documents([other]))
    assert caught.value.where == f"{other}:4"
    assert f"{first}:4" in caught.value.what


def test_objects_of_one_name_in_two_namespaces_are_two(tmp_path: File) -> None:
    elsewhere = f"{ACCOUNT}---\n{RBAC}".replace("namespace: shop", "namespace: other").split("---\n")
    texts = f"{SCC}---\n{RBAC}---\n{ACCOUNT}---\n{elsewhere[0]}---\n{elsewhere[2]}"
    found = gather(files(tmp_path, all=texts))
    assert found.service_accounts == {("shop", "app"), ("other", "app")}
    for namespace in ("shop", "other"):
        assert granted(found.rbac, service_account(namespace, "app"), "team", namespace) is not None


def test_a_range_of_one_uid_is_a_range(tmp_path: File) -> None:
    user = "{type: MustRunAsRange, uidRangeMin: 7, uidRangeMax: 7}"
    assert gather(files(tmp_path, scc=SCC.replace("{type: RunAsAny}", user, 1))).own == {"team"}


def test_a_namespace_file_may_hold_several(tmp_path: File) -> None:
    other = NAMESPACE.replace("shop", "other")
    found = gather((), files(tmp_path, both=f"{NAMESPACE}---\n{other}"))
    assert sorted(found.namespaces) == ["other", "shop"]


def test_annotations_that_are_absent_are_no_mistake_of_the_file(tmp_path: File) -> None:
    bare = "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"
    assert "shop" in gather((), files(tmp_path, bare=bare)).namespaces


def test_a_type_of_volume_that_does_not_exist_is_a_warning(tmp_path: File) -> None:
    (file,) = files(tmp_path, scc=SCC.replace("[secret]", "\n- secret\n- configmap\n- zip"))
    assert gather([file]).warnings == (
        f'{file}:9: volumes[1]: there is no type of volume "configmap": did you mean configMap?',
        f'{file}:10: volumes[2]: there is no type of volume "zip": it allows nothing',
    )


def test_a_run_as_group_that_restricts_nothing_is_taken(tmp_path: File) -> None:
    assert gather(files(tmp_path, scc=SCC + "runAsGroup: {type: RunAsAny}\n")).own == {"team"}


def test_a_namespace_on_an_scc_is_taken_off_as_a_server_does(tmp_path: File) -> None:
    found = gather(files(tmp_path, scc=SCC.replace("  name: team", "  name: team\n  namespace: shop")))
    team = found.scc("team")
    assert team is not None
    assert team.view.metadata.namespace is None


def test_a_role_of_a_default_ones_name_takes_its_place(tmp_path: File) -> None:
    role = """apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: 'system:openshift:scc:restricted-v2'}
rules: []
"""
    found = gather((), (), documents(files(tmp_path, role=role)))
    assert granted(found.rbac, EVERYBODY, "restricted-v2", "shop") is None
    assert granted(found.rbac, EVERYBODY, "restricted-v3", "shop") is not None
