"""A server of OpenShift stores of a Pod what OpenShift's own admission was recorded to make of it, or refuses it so."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_server import Server
from openshift_server import openshift_server

from podward.policy.scc.default_set import default_sccs
from podward.policy.scc.namespace import MCS, UID_RANGE
from podward.policy.scc.policies import STANDARD_NAMES
from podward.policy.scc.run_levels import why_unguarded
from podward.schema.scc.defaults import decide_defaults
from podward.schema.scc.reading import scc_view
from podward.schema.scc.validation import validate

GOLDEN = Path(__file__).parents[1] / "golden" / "scc_shared.jsonl.gz"
SAMPLE = 40
"""So many of the recorded cases: every one sets up a cluster."""
SCCS = "/apis/security.openshift.io/v1/securitycontextconstraints"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
GROUP = "rbac.authorization.k8s.io"
INVALID = frozenset(
    ["000274-default", "000396-custom", "000416-default", "000465-custom", "000480-default", "000516-default"]
)
"""Cases whose Pod validation refuses, which was not asked when they were recorded."""
EVERYBODY = ("system:authenticated", "system:serviceaccounts")
OWN = ("openshift.io/", "security.openshift.io/", "seccomp.", "container.seccomp.")


def _is_ordinary(case: dict[str, Any]) -> bool:
    """Whether a case is one that a server can be brought into: a new Pod in a namespace that SCCs guard."""
    asked, names = case["input"], {scc["metadata"]["name"] for scc in case["input"]["sccs"]}
    plain = not {"operation", "validateOnly", "namespaceName", "applySCCDefaults", "serviceAccountUser"} & asked.keys()
    if not plain or not asked["namespace"] or not names >= STANDARD_NAMES:
        return False
    metadata, allowed = asked["namespace"]["metadata"], case["expected"]["allowed"]
    guarded = why_unguarded(metadata["name"], metadata.get("labels"), named=True) is None
    groups = set((asked.get("user") or {}).get("groups") or ())
    known = "system:authenticated" in groups and not groups & {"system:masters", "system:cluster-admins"}
    stored = not any(decide_defaults(scc).assignments or validate(scc_view(scc)).violations for scc in asked["sccs"])
    ranged = {UID_RANGE, MCS} <= (metadata.get("annotations") or {}).keys()  # else a server gives some
    # Of the node's network the API's own defaults set more than was recorded.
    own_network = not asked["pod"]["spec"].get("hostNetwork")
    return (
        guarded
        and known
        and stored
        and ranged
        and own_network
        and case["id"] not in INVALID
        and (allowed or case["expected"]["stage"] == "admit")
    )


def _cases() -> list[dict[str, Any]]:
    with gzip.open(GOLDEN, "rt") as file:
        return [case for case in map(json.loads, file) if _is_ordinary(case)][:SAMPLE]


class _Cluster:
    """A server that is brought into the state of one case after the other; what is the same is left alone."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._sccs = {str(scc["metadata"]["name"]): scc for scc in default_sccs()}  # type: ignore[index,call-overload]
        self._namespaces: set[str] = set()
        self._bindings: list[str] = []

    def ask(self, method: str, path: str, body: object = None, token: str = "admin-token") -> tuple[int, Any]:  # noqa: S107
        code, answer, _ = self._server.ask(method, path, body, token=token)
        return code, answer

    def be(self, case: dict[str, Any]) -> None:
        asked = case["input"]
        self._namespace(asked["namespace"]["metadata"], asked["pod"])
        wanted = {scc["metadata"]["name"]: scc for scc in asked["sccs"]}
        for name in [name for name, scc in self._sccs.items() if wanted.get(name) != scc]:
            assert self.ask("DELETE", f"{SCCS}/{name}")[0] == 200
            del self._sccs[name]
        for name, scc in wanted.items():
            if name not in self._sccs:
                code, answer = self.ask("POST", SCCS, scc)
                assert code == 201, answer
                self._sccs[name] = scc
        self._grant(asked.get("authorized") or [])

    def _namespace(self, metadata: dict[str, Any], pod: dict[str, Any]) -> None:
        name = metadata["name"]
        body = {
            "metadata": {"name": name, "annotations": metadata.get("annotations"), "labels": metadata.get("labels")}
        }
        if name not in self._namespaces:
            assert self.ask("POST", "/api/v1/namespaces", body)[0] == 201
            self._namespaces.add(name)
        else:
            _, stored = self.ask("GET", f"/api/v1/namespaces/{name}")
            stored["metadata"]["annotations"] = metadata.get("annotations")
            assert self.ask("PUT", f"/api/v1/namespaces/{name}", stored)[0] == 200
        account = pod["spec"].get("serviceAccountName") or pod["spec"].get("serviceAccount") or "default"
        unmounted = {"metadata": {"name": account}, "automountServiceAccountToken": False}
        assert self.ask("POST", f"/api/v1/namespaces/{name}/serviceaccounts", unmounted)[0] in {201, 409}

    def _grant(self, rights: list[Any]) -> None:
        """What the case's RBAC allows, in place of what every cluster does."""
        for path in self._bindings:
            assert self.ask("DELETE", path)[0] == 200
        self._bindings = []
        for name in ("system:openshift:scc:restricted-v2", "system:openshift:scc:restricted-v3"):
            self.ask("DELETE", f"{RBAC}/clusterrolebindings/{name}")
        for number, right in enumerate(rights):
            of = {"scc": right} if isinstance(right, str) else right
            self._bind(f"case-{number}", of)

    def _bind(self, called: str, right: dict[str, Any]) -> None:
        named = {} if right["scc"] == "*" else {"resourceNames": [right["scc"]]}
        rule = {"apiGroups": ["security.openshift.io"], "resources": ["securitycontextconstraints"], "verbs": ["use"]}
        kinds = ("User", "Group")
        subjects = [
            {"apiGroup": GROUP, "kind": kind, "name": name} for kind in kinds if (name := right.get(kind.lower()))
        ]
        subjects = subjects or [{"apiGroup": GROUP, "kind": "Group", "name": name} for name in EVERYBODY]
        self._put(f"{RBAC}/clusterroles", {"metadata": {"name": called}, "rules": [{**rule, **named}]})
        role = {"apiGroup": GROUP, "kind": "ClusterRole", "name": called}
        binding = {"metadata": {"name": called}, "roleRef": role, "subjects": subjects}
        if right.get("namespace"):
            self._put(f"{RBAC}/namespaces/{right['namespace']}/rolebindings", binding)
        else:
            self._put(f"{RBAC}/clusterrolebindings", binding)

    def _put(self, collection: str, body: dict[str, Any]) -> None:
        code, answer = self.ask("POST", collection, body)
        assert code == 201, answer
        self._bindings.append(f"{collection}/{body['metadata']['name']}")


def _callers(cases: list[dict[str, Any]]) -> str:
    lines = ['admin-token,admin,uid-admin,"system:masters"']
    for number, case in enumerate(cases):
        user = case["input"]["user"]
        lines.append(f'token-{number},{user["username"]},uid-{number},"{",".join(user["groups"])}"')
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module", name="cluster")
def _cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Cluster]:
    directory = tmp_path_factory.mktemp("golden")
    tokens = directory / "cases.csv"
    tokens.write_text(_callers(CASES))
    with openshift_server(directory, "--token-auth-file", str(tokens)) as server:
        cluster = _Cluster(server)
        rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["create"]}
        role = {"apiGroup": GROUP, "kind": "ClusterRole", "name": "makes-pods"}
        subject = {"apiGroup": GROUP, "kind": "Group", "name": "system:authenticated"}
        made = cluster.ask("POST", f"{RBAC}/clusterroles", {"metadata": {"name": "makes-pods"}, "rules": [rule]})
        binding = {"metadata": {"name": "makes-pods"}, "roleRef": role, "subjects": [subject]}
        assert (made[0], cluster.ask("POST", f"{RBAC}/clusterrolebindings", binding)[0]) == (201, 201)
        assert cluster.ask("POST", "/api/v1/namespaces", {"metadata": {"name": "elsewhere"}})[0] == 201
        yield cluster


CASES = _cases()


def _decided(pod: dict[str, Any]) -> dict[str, Any]:
    """What SCC admission has a say in."""
    spec, annotations = pod["spec"], pod["metadata"].get("annotations") or {}
    lists = ("initContainers", "containers")
    return {
        "annotations": {name: text for name, text in annotations.items() if name.startswith(OWN)},
        "pod": _plain(spec.get("securityContext")),
        "hostUsers": spec.get("hostUsers"),
        "containers": [_plain(each.get("securityContext")) for name in lists for each in spec.get(name) or ()],
    }


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    """The value without what is empty."""
    if isinstance(value, dict):
        found = {name: _plain(item) for name, item in value.items()}
        return {name: item for name, item in found.items() if item not in (None, {}, [])} or None
    return value


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case["id"] for case in CASES])
def test_a_recorded_pod_is_admitted_or_refused_as_it_was(cluster: _Cluster, number: int) -> None:
    case = CASES[number]
    cluster.be(case)
    pods = f"/api/v1/namespaces/{case['input']['namespace']['metadata']['name']}/pods"
    code, answer = cluster.ask("POST", f"{pods}?dryRun=All", case["input"]["pod"], token=f"token-{number}")
    if case["expected"]["allowed"]:
        assert code == 201, answer
        assert _decided(answer) == _decided(case["expected"]["pod"])
    else:
        assert (code, answer["message"]) == (403, case["expected"]["error"])
