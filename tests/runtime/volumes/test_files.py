"""Files of Secrets, ConfigMaps, the downward API and projections on disk, and as `explain` plans them."""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest
import volume_rows
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from podward.api.content import ContentObject, TokenContent
from podward.api.effective import Place
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import ReferencedObjects
from podward.decision import Unknown
from podward.path import Path as Field
from podward.runtime.explaining.volumes import DryVolumes
from podward.runtime.volumes import PodVolumes, tokens
from podward.schema.view import pod_view

HERE = Place("pod.yaml", Field())
OBJECTS = ReferencedObjects(
    {
        ("Secret", "default", "db"): ContentObject("Secret", "default", "db", {"a": b"one", "b": b"two"}),
        ("ConfigMap", "default", "app"): ContentObject("ConfigMap", "default", "app", {"run": b"#!/bin/sh\n"}),
    }
)
ITEMS = [{"key": "a", "path": "deep/er/a", "mode": 0o400}, {"key": "b", "path": "b"}]
SOURCES: dict[str, Any] = {
    "secret": {"secret": {"secretName": "db", "items": ITEMS, "defaultMode": 0o640}},
    "on-disk": {"configMap": {"name": "app", "defaultMode": 0o555}},
    "token": {"projected": {"sources": [{"serviceAccountToken": {"path": "t/token"}}], "defaultMode": 0o644}},
}


def facts(source: dict[str, Any], objects: ReferencedObjects = OBJECTS, **context: Any) -> PodFacts:  # noqa: ANN401  # JSON
    mounts: list[Any] = [{"name": "v", "mountPath": "/v"}, {"name": "e", "mountPath": "/v/nested"}]
    spec: Any = {
        "securityContext": context,
        "volumes": [{"name": "v", **source}],
        "containers": [{"name": "ctr", "volumeMounts": mounts}],
    }
    return PodFacts(pod_view({"metadata": {"name": "p"}, "spec": spec}), HERE, objects)


@pytest.mark.needs("root")
@pytest.mark.usefixtures("private_mounts")
@pytest.mark.parametrize("context", [{}, {"fsGroup": 2000}, {"runAsUser": 1000}, {"runAsUser": 7, "fsGroup": 2000}])
@pytest.mark.parametrize("source", SOURCES)
def test_what_is_planned_is_what_is_made(tmp_path: Path, source: str, context: dict[str, Any]) -> None:
    about = facts(SOURCES[source], **context)
    before = os.umask(0o077)
    try:
        volumes = PodVolumes(str(tmp_path), about)
        assert not volumes.prepare().refused
    finally:
        os.umask(before)
    dry = DryVolumes(about, None)
    dry.prepare()
    (made,) = volumes.prepared
    assert made.readonly
    assert volume_rows.planned(dry.planned["v"]) == volume_rows.on_disk(made.path)
    assert os.path.ismount(made.path) is (source != "on-disk")
    volumes.remove()
    assert os.listdir(tmp_path) == []


@pytest.mark.needs("root")
@pytest.mark.usefixtures("private_mounts")
def test_a_volume_that_waits_for_its_secret_is_empty_and_refused(tmp_path: Path) -> None:
    volumes = PodVolumes(str(tmp_path), facts(SOURCES["secret"], ReferencedObjects()))
    decision = volumes.prepare()
    assert (decision.refused, decision.final) == (True, False)
    (made,) = volumes.prepared
    assert os.listdir(made.path) == ["nested"]
    volumes.remove()


@pytest.mark.needs("root")
@pytest.mark.usefixtures("private_mounts")
def test_what_nobody_knows_is_not_run(tmp_path: Path) -> None:
    objects = ReferencedObjects(others=Unknown("it is not known", "look"))
    decision = PodVolumes(str(tmp_path), facts(SOURCES["secret"], objects)).prepare()
    assert decision.final
    assert decision.violations[0].reason == 'volume "v": it is not known: look'


def unpacked(part: str) -> Any:  # noqa: ANN401  # it is JSON
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


def test_a_token_is_signed_by_the_authority_whose_certificate_goes_with_it() -> None:
    pod = pod_view(
        {"metadata": {"name": "p", "namespace": "shop", "uid": "u"}, "spec": {"serviceAccountName": "robot"}}
    )
    head, claims, signature = tokens.token(TokenContent("vault", 7200), pod).split(".")
    raw = base64.urlsafe_b64decode(signature + "==")
    der = encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    key = x509.load_pem_x509_certificate(tokens.certificate()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(der, f"{head}.{claims}".encode(), ec.ECDSA(SHA256()))
    said = unpacked(claims)
    assert unpacked(head)["alg"] == "ES256"
    assert (said["aud"], said["exp"] - said["iat"]) == (["vault"], 7200)
    assert said["sub"] == "system:serviceaccount:shop:robot"
    assert said["kubernetes.io"]["pod"] == {"name": "p", "uid": "u"}


def test_a_token_without_an_audience_is_for_its_issuer_and_no_two_are_the_same() -> None:
    pod = pod_view({"metadata": {"name": "p"}, "spec": {}})
    one, other = (tokens.token(TokenContent("", 600), pod) for _ in range(2))
    assert unpacked(one.split(".")[1])["aud"] == [tokens.ISSUER]
    assert one != other
