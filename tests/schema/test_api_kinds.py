"""What an API server says of a kind that it has not."""

from __future__ import annotations

import pytest

from podward.documents.document import Document
from podward.schema.api_kinds import NoMatchError, has, require_match
from podward.schema.objects import objects_of
from podward.schema.table import KINDS


def match(api_version: str, kind: str) -> None:
    (item,) = objects_of(Document("f", {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}))
    require_match(item)


@pytest.mark.parametrize(
    ("api_version", "kind", "meant"),
    [
        ("v1", "Pdo", "Pod"),
        ("v1", "pod", "Pod"),
        ("v1", "Pods", "Pod"),
        ("apps/v1", "deployment", "Deployment"),
        ("apps/v1", "StatefullSet", "StatefulSet"),
        ("batch/v1", "Cronjob", "CronJob"),
        ("networking.k8s.io/v1", "NetworkPolicies", "NetworkPolicy"),
        ("rbac.authorization.k8s.io/v1", "RolBinding", "RoleBinding"),
        ("apps/v1beta2", "Deployment", "apps/v1"),
        ("extensions/v1beta1", "DaemonSet", "apps/v1"),
        ("app/v1", "Deployment", "apps/v1"),
        ("apps/v1", "Pod", "v1"),
        ("v1", "Deployment", "apps/v1"),
    ],
)
def test_a_misspelt_kind_is_an_error_that_names_the_right_one(api_version: str, kind: str, meant: str) -> None:
    with pytest.raises(NoMatchError) as caught:
        match(api_version, kind)
    assert caught.value.what == f'no matches for kind "{kind}" in version "{api_version}"'
    assert meant in caught.value.advice.replace("?", "").split()


@pytest.mark.parametrize(
    ("api_version", "kind"),
    [
        ("v1", "Service"),
        ("v1", "ServiceList"),
        ("v1", "Route"),
        ("v1", "Config"),
        ("policy/v1beta1", "PodSecurityPolicy"),
        ("extensions/v1beta1", "Ingress"),
        ("networking.k8s.io/v1beta1", "Ingress"),
        ("cert-manager.io/v1", "Certificate"),
        ("example.com/v1", "Deployment"),
        ("skaffold/v4beta6", "Config"),
        ("gateway.networking.k8s.io/v1", "Gatway"),
    ],
)
def test_what_an_api_has_or_had_or_may_have_is_none(api_version: str, kind: str) -> None:
    match(api_version, kind)


def test_every_kind_of_the_table_is_known() -> None:
    for kind, versions in KINDS.items():
        for version in versions:
            assert has(version.rpartition("/")[0], kind), (version, kind)
