"""The default roles and bindings are those of the real server: `expected.jsonl.gz` has its objects, one a line."""

from __future__ import annotations

import gzip
from pathlib import Path

import msgspec

from podward.access.default_roles.objects import default_objects
from podward.access.stored_rbac import StoredRbac
from podward.api.authorization import Attributes, Opinion
from podward.api.caller import User, service_account
from podward.api.json_value import Json, JsonObject

EXPECTED = Path(__file__).with_name("expected.jsonl.gz")


def by_name(objects: list[JsonObject]) -> dict[tuple[Json, Json, Json], JsonObject]:
    found = {}
    for raw in objects:
        metadata = raw["metadata"]
        assert isinstance(metadata, dict)
        found[raw["kind"], metadata.get("namespace"), metadata["name"]] = raw
    return found


def default_rbac() -> StoredRbac:
    rbac = StoredRbac()
    for raw in default_objects():
        rbac.put(str(raw["kind"]), raw)
    return rbac


def test_the_default_objects_are_those_of_the_real_server() -> None:
    lines = gzip.decompress(EXPECTED.read_bytes()).splitlines()
    expected: list[JsonObject] = [msgspec.json.decode(line) for line in lines]
    assert by_name(default_objects()) == by_name(expected)


def test_a_controller_may_what_its_role_says() -> None:
    job = service_account("kube-system", "job-controller")
    rbac = default_rbac()
    assert rbac.authorize(Attributes(job, "create", resource="pods", namespace="a")).opinion is Opinion.ALLOW
    assert rbac.authorize(Attributes(job, "get", resource="secrets", namespace="a")).opinion is Opinion.NO_OPINION


def test_an_aggregated_role_gives_nothing_until_its_controller_has_written_its_rules() -> None:
    rbac = default_rbac()
    roleref: JsonObject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"}
    subjects: list[Json] = [{"kind": "User", "name": "alice"}]
    rbac.put("ClusterRoleBinding", {"metadata": {"name": "v"}, "roleRef": roleref, "subjects": subjects})
    wanted = Attributes(User("alice"), "list", resource="pods", namespace="a")
    assert rbac.authorize(wanted).opinion is Opinion.NO_OPINION


def test_everybody_may_ask_for_the_version_and_only_the_authenticated_for_the_groups() -> None:
    rbac = default_rbac()
    anonymous, known = User("system:anonymous", ("system:unauthenticated",)), User("a", ("system:authenticated",))
    assert rbac.authorize(Attributes(anonymous, "get", path="/version")).opinion is Opinion.ALLOW
    assert rbac.authorize(Attributes(anonymous, "get", path="/apis")).opinion is Opinion.NO_OPINION
    assert rbac.authorize(Attributes(known, "get", path="/apis")).opinion is Opinion.ALLOW
