"""The mutating plugins of a plain API server."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from msgspec import structs

from podward.api.admission import NAMESPACES, PODS, AdmissionRequest, GroupResource, Operation
from podward.api.caller import User
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member, objects
from podward.stages.admission.served import mutated, validated
from podward.stages.admission.served_facts import Served


class _Objects:
    def __init__(self, **by_plural: list[JsonObject]) -> None:
        self._by_plural = by_plural

    def get(self, plural: str, namespace: str, name: str) -> JsonObject | None:
        found = [each for each in self.all(plural, namespace) if member(each, "metadata").get("name") == name]
        return found[0] if found else None

    def all(self, plural: str, namespace: str = "") -> Iterable[JsonObject]:
        del namespace
        return self._by_plural.get(plural, [])


def _named(name: str, **more: object) -> JsonObject:
    return {"metadata": {"name": name}, **more}  # type: ignore[dict-item]  # JSON


def _asked(obj: JsonObject | None, resource: GroupResource = PODS, **stored: list[JsonObject]) -> Served:
    stored.setdefault("namespaces", [_named("n", status={"phase": "Active"})])
    stored.setdefault("serviceaccounts", [_named("default")])
    operation = Operation.DELETE if obj is None else Operation.CREATE
    request = AdmissionRequest(operation, obj, User(), "n", "x", resource=resource)
    return Served(request, _Objects(**stored), "abcde")


def _pod(**spec: object) -> JsonObject:
    return {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "c"}], **spec}}  # type: ignore[dict-item]  # JSON


def _made(served: Served) -> JsonObject:
    found = mutated(served)
    assert isinstance(found, dict), found
    return found


def _refusal(served: Served) -> str:
    found = mutated(served)
    assert isinstance(found, Status)
    return found.message


def test_a_pod_gets_its_account_token_priority_and_tolerations() -> None:
    spec = member(_made(_asked(_pod())), "spec")
    assert spec["serviceAccountName"] == "default"
    assert [volume["name"] for volume in objects(spec, "volumes")] == ["kube-api-access-abcde"]
    assert objects(objects(spec, "containers")[0], "volumeMounts")[0]["readOnly"] is True
    assert (spec["priority"], spec["preemptionPolicy"]) == (0, "PreemptLowerPriority")
    assert {each["key"] for each in objects(spec, "tolerations")} == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    }


def test_openshifts_authority_is_mounted_where_it_is_wanted() -> None:
    def maps(served: Served) -> list[object]:
        (volume,) = objects(member(_made(served), "spec"), "volumes")
        return [member(source, "configMap").get("name") for source in objects(member(volume, "projected"), "sources")]

    asked = _asked(_pod())
    assert maps(asked) == [None, "kube-root-ca.crt", None]
    assert maps(structs.replace(asked, service_authority=True))[3:] == ["openshift-service-ca.crt"]


def test_no_token_is_mounted_where_nobody_wants_it() -> None:
    account = _named("default", automountServiceAccountToken=False)
    assert "volumes" not in member(_made(_asked(_pod(), serviceaccounts=[account])), "spec")
    assert "volumes" not in member(_made(_asked(_pod(automountServiceAccountToken=False))), "spec")


@pytest.mark.parametrize(
    ("pod", "message"),
    [
        (_pod(serviceAccountName="q"), 'error looking up service account n/q: serviceaccount "q" not found'),
        (_pod(priorityClassName="q"), "no PriorityClass with name q was found"),
        (_pod(runtimeClassName="q"), 'pod rejected: RuntimeClass "q" not found'),
    ],
)
def test_what_is_missing_is_refused(pod: JsonObject, message: str) -> None:
    assert _refusal(_asked(pod)) == f'pods "x" is forbidden: {message}'


def test_nothing_comes_into_a_namespace_that_is_not_there_or_is_going() -> None:
    assert _refusal(_asked(_pod(), namespaces=[])) == 'namespaces "n" not found'
    going = _named("n", status={"phase": "Terminating"})
    assert "because it is being terminated" in _refusal(_asked(_pod(), namespaces=[going]))


def test_some_namespaces_never_go() -> None:
    request = AdmissionRequest(Operation.DELETE, None, User(), "default", "default", resource=NAMESPACES)
    found = mutated(Served(request, _Objects(), ""))
    assert isinstance(found, Status)
    assert found.code == 403


def test_the_default_priority_class_counts() -> None:
    usual = _named("usual", value=7, globalDefault=True)
    spec = member(_made(_asked(_pod(), priorityclasses=[usual])), "spec")
    assert (spec["priority"], spec["priorityClassName"]) == (7, "usual")


def test_ranges_give_defaults_and_bounds() -> None:
    item: JsonObject = {
        "type": "Container",
        "default": {"cpu": "500m"},
        "defaultRequest": {"cpu": "100m"},
        "max": {"cpu": "1"},
    }
    ranges = [_named("r", spec={"limits": [item]})]
    made = _made(_asked(_pod(), limitranges=ranges))
    resources = member(objects(member(made, "spec"), "containers")[0], "resources")
    assert resources == {"requests": {"cpu": "100m"}, "limits": {"cpu": "500m"}}
    large = _pod(containers=[{"name": "c", "resources": {"limits": {"cpu": "3"}, "requests": {"cpu": "1"}}}])
    found = validated(_asked(large, limitranges=ranges))
    assert found is not None
    assert found.message.endswith("maximum cpu usage per Container is 1, but limit is 3")


def test_the_request_is_not_changed() -> None:
    pod = _pod()
    before = repr(pod)
    _made(_asked(pod))
    assert repr(pod) == before


def test_there_is_one_default_class_of_priorities() -> None:
    classes = GroupResource("scheduling.k8s.io", "priorityclasses")
    there: list[JsonObject] = [{"metadata": {"name": "a"}, "globalDefault": True}]
    second: JsonObject = {"metadata": {"name": "b"}, "globalDefault": True}
    found = validated(_asked(second, resource=classes, priorityclasses=there))
    assert isinstance(found, Status)
    assert found.message.endswith("PriorityClass a is already marked as default. Only one default can exist")
    assert validated(_asked({**second, "globalDefault": False}, resource=classes, priorityclasses=there)) is None
