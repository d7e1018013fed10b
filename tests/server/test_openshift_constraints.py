"""SecurityContextConstraints in a server of OpenShift: they are there, are completed, and admit or refuse Pods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from api_server import Server, running

from podward.policy.scc.default_set import NAMES

SCCS = "/apis/security.openshift.io/v1/securitycontextconstraints"
PODS = "/api/v1/namespaces/monitor/pods"
TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
NAMESPACE = {
    "metadata": {
        "name": "monitor",
        "annotations": {
            "openshift.io/sa.scc.mcs": "s0:c15,c10",
            "openshift.io/sa.scc.supplemental-groups": "1000230000/10000",
            "openshift.io/sa.scc.uid-range": "1000230000/10000",
        },
    }
}
BINDINGS = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
ACCOUNT = "system:serviceaccount:monitor:default"
SUBJECT = {"kind": "ServiceAccount", "name": "default", "namespace": "monitor"}
HEAD = {"apiVersion": "security.openshift.io/v1", "kind": "SecurityContextConstraints"}


@pytest.fixture(scope="module")
def openshift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("openshift"), "--openshift") as started:
        assert started.ask("POST", "/api/v1/namespaces", NAMESPACE)[0] == 201
        accounts = "/api/v1/namespaces/monitor/serviceaccounts"
        for name in ("default", "new-sa"):
            assert started.ask("POST", accounts, {"metadata": {"name": name}})[0] == 201
        yield started


def _pod(name: str, container: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"containers": [{"name": "c", "image": "x", **(container or {})}]}}


def _as_account(server: Server, body: object) -> tuple[int, Any]:
    """Create a Pod as the service account of it does, by way of a controller."""
    code, answer, _ = server.ask("POST", PODS, body, Impersonate_User=ACCOUNT)
    return code, answer


@pytest.fixture(scope="module", name="creates")
def _creates(openshift: Server) -> Server:
    rules = "/apis/rbac.authorization.k8s.io/v1/namespaces/monitor"
    own = {"apiGroups": [""], "resources": ["pods", "pods/ephemeralcontainers"], "verbs": ["create", "patch"]}
    assert openshift.ask("POST", f"{rules}/roles", {"metadata": {"name": "makes"}, "rules": [own]})[0] == 201
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "makes"}
    bound = {"metadata": {"name": "makes"}, "roleRef": role, "subjects": [SUBJECT]}
    assert openshift.ask("POST", f"{rules}/rolebindings", bound)[0] == 201
    return openshift


def test_the_default_ones_are_there_with_their_roles(openshift: Server) -> None:
    _, found, _ = openshift.ask("GET", SCCS)
    assert {each["metadata"]["name"] for each in found["items"]} == set(NAMES)
    roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles/system:openshift:scc:anyuid"
    assert openshift.ask("GET", roles)[1]["rules"][0]["resourceNames"] == ["anyuid"]
    assert openshift.ask("GET", f"{BINDINGS}/system:openshift:scc:restricted-v2")[0] == 200


def test_the_priority_that_oc_debug_asks_for_is_there(openshift: Server) -> None:
    _, found, _ = openshift.ask("GET", "/apis/scheduling.k8s.io/v1/priorityclasses/openshift-user-critical")
    assert (found["value"], found["preemptionPolicy"]) == (1000000000, "PreemptLowerPriority")


def test_a_table_has_the_columns_that_oc_prints(openshift: Server) -> None:
    _, table, _ = openshift.ask("GET", f"{SCCS}/restricted-v2", Accept=TABLE)
    names = [column["name"] for column in table["columnDefinitions"]]
    assert names == [
        "Name", "Priv", "Caps", "SELinux", "RunAsUser", "FSGroup", "SupGroup", "Priority", "ReadOnlyRootFS", "Volumes",
    ]  # fmt: skip
    cells = table["rows"][0]["cells"]
    assert cells[:9] == [
        "restricted-v2", "false", '["NET_BIND_SERVICE"]', "MustRunAs", "MustRunAsRange", "MustRunAs", "RunAsAny", None,
        "false",
    ]  # fmt: skip


def test_an_ordinary_pod_gets_restricted_v2(creates: Server) -> None:
    code, pod = _as_account(creates, _pod("ordinary"))
    assert code == 201, pod
    assert pod["metadata"]["annotations"]["openshift.io/scc"] == "restricted-v2"
    assert pod["metadata"]["annotations"]["security.openshift.io/validated-scc-subject-type"] == "user"
    assert pod["spec"]["securityContext"]["fsGroup"] == 1000230000
    assert pod["spec"]["securityContext"]["seLinuxOptions"] == {"level": "s0:c15,c10"}
    assert pod["spec"]["containers"][0]["securityContext"]["runAsUser"] == 1000230000


def test_what_no_constraint_allows_is_refused_and_not_stored(creates: Server) -> None:
    code, answer = _as_account(creates, _pod("root", container={"securityContext": {"privileged": True}}))
    assert code == 403
    assert answer["message"].startswith(
        'pods "root" is forbidden: unable to validate against any security context constraint: [provider "anyuid":'
        " Forbidden: not usable by user or serviceaccount, provider restricted-v2: .containers[0].privileged: Invalid"
        " value: true: Privileged containers are not allowed,"
    )
    assert creates.ask("GET", f"{PODS}/root")[0] == 404


def test_a_binding_grants_the_use_as_oc_does_it(creates: Server) -> None:
    wants_uid = _pod("uid-7", container={"securityContext": {"runAsUser": 7}})
    assert _as_account(creates, wants_uid)[0] == 403
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:openshift:scc:anyuid"}
    binding = {"metadata": {"name": "anyuid"}, "roleRef": role, "subjects": [SUBJECT]}
    assert creates.ask("POST", BINDINGS, binding)[0] == 201
    code, pod = _as_account(creates, wants_uid)
    assert code == 201, pod
    assert pod["metadata"]["annotations"]["openshift.io/scc"] == "anyuid"
    assert creates.ask("DELETE", f"{BINDINGS}/anyuid")[0] == 200
    assert _as_account(creates, _pod("uid-8", container={"securityContext": {"runAsUser": 8}}))[0] == 403


def test_what_is_written_is_completed(openshift: Server) -> None:
    code, made, _ = openshift.ask("POST", f"{SCCS}?dryRun=All", {**HEAD, "metadata": {"name": "mine"}, **_strategies()})
    assert code == 201, made
    assert made["users"] == made["groups"] == []
    assert made["allowPrivilegeEscalation"] is True
    assert made["fsGroup"] == {"type": "RunAsAny"}
    assert "hostPath" not in made["volumes"]
    assert made["priority"] is None


def _strategies() -> dict[str, object]:
    return {"runAsUser": {"type": "RunAsAny"}, "seLinuxContext": {"type": "RunAsAny"}}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"runAsUser": {"type": "Any"}}, 'runAsUser.type: Invalid value: "Any": invalid strategy type.'),
        ({"priority": -1}, "priority: Invalid value: -1: priority cannot be negative"),
        ({"volumes": ["none", "secret"]}, "if 'none' is specified, no other values are allowed"),
        ({"priority": "high"}, "priority: Invalid value"),
        ({"users": [1]}, "users[0]: Invalid value"),
        ({"userNamespaceLevel": "None"}, 'userNamespaceLevel: Unsupported value: "None"'),
    ],
)
def test_what_openshift_refuses_is_refused(openshift: Server, wrong: dict[str, object], told: str) -> None:
    code, answer, _ = openshift.ask("POST", SCCS, {**HEAD, "metadata": {"name": "wrong"}, **_strategies(), **wrong})
    assert code == 422, answer
    assert told in answer["message"]


def test_a_changed_constraint_counts_at_once(creates: Server) -> None:
    scc = {**HEAD, "metadata": {"name": "new-scc"}, **_strategies(), "users": [ACCOUNT]}
    assert creates.ask("POST", SCCS, scc)[0] == 201
    wanted = {"securityContext": {"runAsUser": 1000}}
    code, pod = _as_account(creates, _pod("of-new-scc", container=wanted))
    assert code == 201, pod
    assert pod["metadata"]["annotations"]["openshift.io/scc"] == "new-scc"
    ranged = {"runAsUser": {"type": "MustRunAsRange", "uidRangeMin": 3000, "uidRangeMax": 4000}}
    patched = creates.ask("PATCH", f"{SCCS}/new-scc", ranged, Content_Type="application/merge-patch+json")
    assert patched[0] == 200, patched
    code, answer = _as_account(creates, {**_pod(""), "metadata": {"generateName": "centos-1-"}} | {
        "spec": {"containers": [{"name": "c", "image": "x", **wanted}]}
    })  # fmt: skip
    assert code == 403
    assert answer["message"].startswith('pods "centos-1-" is forbidden: unable to validate against any security')
    assert (
        "provider new-scc: .containers[0].runAsUser: Invalid value: 1000: must be in the ranges: [3000, 4000]"
        in (answer["message"])
    )
    assert creates.ask("DELETE", f"{SCCS}/new-scc")[0] == 200


def test_without_one_that_must_be_there_no_pod_is_admitted(creates: Server) -> None:
    _, kept, _ = creates.ask("GET", f"{SCCS}/hostaccess")
    assert creates.ask("DELETE", f"{SCCS}/hostaccess")[0] == 200
    code, answer = _as_account(creates, _pod("waits"))
    assert code == 403
    assert answer["message"].endswith("securitycontextconstraints.security.openshift.io cache is missing hostaccess")
    kept["metadata"] = {"name": "hostaccess"}
    assert creates.ask("POST", SCCS, kept)[0] == 201
    assert _as_account(creates, _pod("waits"))[0] == 201


def test_a_dry_run_says_what_would_be_chosen(creates: Server) -> None:
    code, pod, _ = creates.ask("POST", f"{PODS}?dryRun=All", _pod("dry"), Impersonate_User=ACCOUNT)
    assert (code, pod["metadata"]["annotations"]["openshift.io/scc"]) == (201, "restricted-v2")
    assert creates.ask("GET", f"{PODS}/dry")[0] == 404


def test_an_ephemeral_container_is_held_to_the_constraint(creates: Server) -> None:
    assert _as_account(creates, _pod("debugged"))[0] == 201
    path, patch = f"{PODS}/debugged/ephemeralcontainers", "application/strategic-merge-patch+json"

    def debug(**context: object) -> tuple[int, Any]:
        added = {"name": "d", "image": "x", **({"securityContext": context} if context else {})}
        body = {"spec": {"ephemeralContainers": [added]}}
        code, answer, _ = creates.ask("PATCH", path, body, Content_Type=patch, Impersonate_User=ACCOUNT)
        return code, answer

    code, answer = debug(privileged=True)
    assert code == 403
    assert "unable to validate against any security context constraint" in answer["message"]
    code, pod = debug()
    assert code == 200, pod
    assert pod["spec"]["ephemeralContainers"][0]["securityContext"]["runAsUser"] == 1000230000


def test_nobody_reaches_into_a_pod_that_he_could_not_create(creates: Server) -> None:
    privileged = _pod("reached", {"securityContext": {"privileged": True}})
    assert creates.ask("POST", PODS, privileged)[0] == 201
    own = {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]}
    rules = "/apis/rbac.authorization.k8s.io/v1/namespaces/monitor"
    assert creates.ask("POST", f"{rules}/roles", {"metadata": {"name": "reaches"}, "rules": [own]})[0] == 201
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reaches"}
    bound = {"metadata": {"name": "reaches"}, "roleRef": role, "subjects": [SUBJECT]}
    assert creates.ask("POST", f"{rules}/rolebindings", bound)[0] == 201
    path = f"{PODS}/reached/exec?command=id&stdout=true"
    code, refused, _ = creates.ask("POST", path, Impersonate_User=ACCOUNT)
    assert code == 403
    assert refused["message"].startswith(
        'pods "reached" is forbidden: exec operation is not allowed because the pod\'s security context exceeds your'
        ' permissions: pods "reached" is forbidden: unable to validate against any security context constraint: ['
    )
    code, answer, _ = creates.ask("POST", path)
    assert (code, answer["message"]) == (400, "pod reached does not have a host assigned")


def test_pod_security_warns_of_restricted_and_enforces_nothing(openshift: Server) -> None:
    code, _, headers = openshift.ask("POST", f"{PODS}?dryRun=All", _pod("warned"))
    assert code == 201
    assert "would violate PodSecurity" in headers["Warning"]


def test_a_namespace_gets_ranges_before_its_first_pod(openshift: Server) -> None:
    assert openshift.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "quick"}})[0] == 201
    accounts = "/api/v1/namespaces/quick/serviceaccounts"
    assert openshift.ask("POST", accounts, {"metadata": {"name": "default"}})[0] == 201
    code, pod, _ = openshift.ask("POST", "/api/v1/namespaces/quick/pods", _pod("p"))
    assert code == 201, pod
    _, namespace, _ = openshift.ask("GET", "/api/v1/namespaces/quick")
    level = namespace["metadata"]["annotations"]["openshift.io/sa.scc.mcs"]
    assert pod["spec"]["securityContext"]["seLinuxOptions"]["level"] == level != "s0:c15,c10"


def test_a_plugin_that_is_turned_off_does_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    off = "--disable-admission-plugins=security.openshift.io/SecurityContextConstraint"
    with running(tmp_path_factory.mktemp("off"), "--openshift", off) as server:
        accounts = "/api/v1/namespaces/default/serviceaccounts"
        assert server.ask("POST", accounts, {"metadata": {"name": "default"}})[0] == 201
        _, pod, _ = server.ask("POST", "/api/v1/namespaces/default/pods", _pod("free"))
        assert "annotations" not in pod["metadata"]


def test_a_plain_server_has_nothing_of_it(server: Server) -> None:
    assert server.ask("GET", SCCS)[0] == 404
    _, groups, _ = server.ask("GET", "/apis")
    assert not [group["name"] for group in groups["groups"] if "openshift" in group["name"]]
