"""What fits into a namespace's quotas, and what it takes from them."""

from __future__ import annotations

import pytest

from podward.api.admission import PODS, AdmissionRequest, GroupResource, Operation
from podward.api.caller import User
from podward.api.json_value import JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.stages.admission.quota import charged, concerns

SERVICES, CLAIMS = GroupResource("", "services"), GroupResource("", "persistentvolumeclaims")


def _quota(hard: JsonObject, used: JsonObject, **spec: object) -> JsonObject:
    return {"metadata": {"name": "q"}, "spec": spec, "status": {"hard": hard, "used": used}}  # type: ignore[dict-item]


def _asked(spec: JsonObject, resource: GroupResource = PODS, old: JsonObject | None = None) -> AdmissionRequest:
    obj: JsonObject = {"metadata": {"name": "x"}, "spec": spec}
    before: JsonObject | None = None if old is None else {"metadata": {"name": "x"}, "spec": old}
    operation = Operation.CREATE if old is None else Operation.UPDATE
    return AdmissionRequest(operation, obj, User(), "n", "x", before, resource=resource)


def _pod(cpu: str = "", **more: object) -> JsonObject:
    requests = {"requests": {"cpu": cpu}} if cpu else {}
    return {"containers": [{"name": "c", "resources": requests}], **more}  # type: ignore[dict-item]


def _used(asked: AdmissionRequest, quota: JsonObject) -> JsonObject:
    found = charged(asked, [quota])
    assert not isinstance(found, Status), found
    return member(member(found[0], "status"), "used") if found else {}


def _refusal(asked: AdmissionRequest, quota: JsonObject) -> str:
    found = charged(asked, [quota])
    assert isinstance(found, Status)
    return found.message


def test_what_fits_is_counted() -> None:
    quota = _quota({"pods": "2", "requests.cpu": "1"}, {"pods": "1", "requests.cpu": "250m"})
    assert _used(_asked(_pod("500m")), quota) == {"pods": "2", "requests.cpu": "750m"}


def test_what_does_not_fit_is_told_of_what_is_exceeded_only() -> None:
    quota = _quota({"pods": "2", "requests.cpu": "1"}, {"pods": "1", "requests.cpu": "750m"})
    why = "exceeded quota: q, requested: requests.cpu=500m, used: requests.cpu=750m, limited: requests.cpu=1"
    assert _refusal(_asked(_pod("500m")), quota) == f'pods "x" is forbidden: {why}'


def test_a_container_must_say_what_is_limited() -> None:
    quota = _quota({"requests.cpu": "1"}, {"requests.cpu": "0"})
    assert _refusal(_asked(_pod()), quota).endswith("failed quota: q: must specify requests.cpu for: c")


def test_a_quota_that_nobody_has_counted_refuses() -> None:
    assert _refusal(_asked(_pod()), _quota({"pods": "1"}, {})).endswith("status unknown for quota: q, resources: pods")


def test_a_quota_without_a_status_limits_nothing() -> None:
    quota: JsonObject = {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "0"}}, "status": {}}
    assert charged(_asked(_pod()), [quota]) == ()


@pytest.mark.parametrize(
    ("scope", "spec", "matches"),
    [
        ("BestEffort", _pod(), True),
        ("BestEffort", _pod("1"), False),
        ("NotBestEffort", _pod("1"), True),
        ("Terminating", _pod(activeDeadlineSeconds=0), True),
        ("Terminating", _pod(), False),
        ("PriorityClass", _pod(priorityClassName="high"), True),
        ("PriorityClass", _pod(), False),
    ],
)
def test_a_quota_is_about_the_pods_of_its_scope(scope: str, spec: JsonObject, *, matches: bool) -> None:
    assert isinstance(charged(_asked(spec), [_quota({"pods": "0"}, {"pods": "0"}, scopes=[scope])]), Status) is matches


def test_an_update_counts_for_what_it_adds() -> None:
    quota = _quota({"services.nodeports": "3"}, {"services.nodeports": "1"})
    one: JsonObject = {"type": "NodePort", "ports": [{"port": 1}]}
    two: JsonObject = {"type": "NodePort", "ports": [{"port": 1}, {"port": 2}]}
    assert _used(_asked(two, SERVICES, one), quota) == {"services.nodeports": "2"}
    assert _used(_asked(one, SERVICES, two), quota) == {}


def test_claims_are_counted_by_their_class_too() -> None:
    name = "fast.storageclass.storage.k8s.io/requests.storage"
    spec: JsonObject = {"storageClassName": "fast", "resources": {"requests": {"storage": "2Gi"}}}
    assert "exceeded quota" in _refusal(_asked(spec, CLAIMS), _quota({name: "1Gi"}, {name: "0"}))


def test_other_kinds_are_counted_by_number() -> None:
    deployments = GroupResource("apps", "deployments")
    quota = _quota({"count/deployments.apps": "1"}, {"count/deployments.apps": "1"})
    assert "exceeded quota" in _refusal(_asked({}, deployments), quota)


def test_events_are_not_counted() -> None:
    assert not concerns(_asked({}, GroupResource("", "events")))
