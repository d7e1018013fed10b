"""volumes and flexVolumes: kinds, the token's volume, drivers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from podward.api.json_value import Json, JsonObject
from podward.decision import Decision
from podward.policy.scc.violation import SccViolation, rule_of
from podward.schema.scc.defaults import VOLUME_TYPES

Decide = Callable[..., Decision]
NAMED_OTHERWISE = {"cephFS": "cephfs", "storageOS": "storageos", "vsphere": "vsphereVolume"}
TOKEN: JsonObject = {"serviceAccountToken": {"path": "token", "expirationSeconds": 3607}}
ROOT_CA: JsonObject = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
SERVICE_CA: JsonObject = {
    "configMap": {
        "name": "openshift-service-ca.crt",
        "items": [{"key": "service-ca.crt", "path": "service-ca.crt"}],
    }
}
NAMESPACE_FIELD: JsonObject = {"apiVersion": "v1", "fieldPath": "metadata.namespace"}
NAMESPACE: JsonObject = {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": NAMESPACE_FIELD}]}}


def printed(made: Decision) -> list[str]:
    return [one.printed for one in made.violations if isinstance(one, SccViolation)]


def with_sources(decide: Decide, allowed: list[str], *sources: JsonObject) -> Decision:
    volume: JsonObject = {"name": "v", "projected": {"sources": list(sources)}}
    return decide({"volumes": allowed}, {"volumes": [volume], "containers": []})


@pytest.mark.parametrize("kind", VOLUME_TYPES)
def test_every_kind_is_known_by_its_name(decide: Decide, kind: str) -> None:
    spec: JsonObject = {"volumes": [{"name": "v", NAMED_OTHERWISE.get(kind, kind): {}}], "containers": []}
    allowing: list[JsonObject] = [{"volumes": [kind]}, {"volumes": ["*"]}, {"volumes": ["none", kind]}]
    for scc in allowing:
        assert decide(scc, spec) == Decision()
    others: list[Json] = [name for name in VOLUME_TYPES if name not in (kind, "secret")]
    refusing: list[JsonObject] = [{"volumes": None}, {"volumes": []}, {"volumes": ["none"]}, {"volumes": others}]
    for scc in refusing:
        assert printed(decide(scc, spec)) == [
            f'provider mine: .spec.volumes[0]: Invalid value: "{kind}": {kind} volumes are not allowed to be used'
        ]


def test_of_two_sources_the_first_in_the_order_counts(decide: Decide) -> None:
    spec: JsonObject = {"volumes": [{"name": "v", "secret": {}, "hostPath": {"path": "/"}}], "containers": []}
    assert [one.value for one in decide({"volumes": ["secret"]}, spec).violations] == ["hostPath"]
    assert decide({"volumes": ["hostPath"]}, spec) == Decision()


def test_a_volume_without_source_is_printed_as_go_prints_it(decide: Decide) -> None:
    spec: JsonObject = {"volumes": [{"name": 'a"b'}], "containers": []}
    (text,) = printed(decide({"volumes": ["emptyDir"]}, spec))
    start = (
        'provider mine: .spec.volumes[0]: Invalid value: "": unknown volume type for volume: core.Volume{Name:"a\\"b", '
    )
    assert text.startswith(f"{start}VolumeSource:core.VolumeSource{{HostPath:(*core.HostPathVolumeSource)(nil), ")
    assert "FlexVolume:(*core.FlexVolumeSource)(nil), Cinder" in text
    assert text.endswith("Ephemeral:(*core.EphemeralVolumeSource)(nil), Image:(*core.ImageVolumeSource)(nil)}}")
    assert decide({"volumes": ["*"]}, spec) == Decision()


@pytest.mark.parametrize(
    "sources", [(), (TOKEN,), (ROOT_CA,), (TOKEN, ROOT_CA, NAMESPACE, SERVICE_CA), ({"downwardAPI": {}},)]
)
def test_secret_allows_the_volume_of_a_token(decide: Decide, sources: tuple[JsonObject, ...]) -> None:
    assert with_sources(decide, ["secret"], *sources) == Decision()
    assert with_sources(decide, ["configMap"], *sources).refused


@pytest.mark.parametrize(
    "source",
    [
        {},
        {"secret": {"name": "x"}},
        {"serviceAccountToken": {"path": "token", "audience": "vault"}},
        {"serviceAccountToken": {"path": "other"}},
        {"configMap": {"name": "mine", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"configMap": {"name": "kube-root-ca.crt"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}] * 2}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "service-ca.crt", "path": "service-ca.crt"}]}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "other"}]}},
        {"downwardAPI": {"items": [{"path": "namespace"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
        {"downwardAPI": {"items": [{"path": "n", "fieldRef": NAMESPACE_FIELD}]}},
    ],
)
def test_secret_does_not_allow_what_does_not_come_with_a_token(decide: Decide, source: JsonObject) -> None:
    assert printed(with_sources(decide, ["secret"], TOKEN, source)) == [
        'provider mine: .spec.volumes[0]: Invalid value: "projected": projected volumes are not allowed to be used'
    ]


@pytest.mark.parametrize(
    ("volumes", "drivers", "refused"),
    [
        (["flexVolume"], ["a"], [1, 2]),
        (["*"], ["a", ""], [1]),
        (["flexVolume"], [], []),
        (["flexVolume"], None, []),
    ],
)
def test_which_drivers_a_flex_volume_may_have(
    decide: Decide, volumes: list[str], drivers: list[str] | None, refused: list[int]
) -> None:
    flex = [{"name": "v", "flexVolume": source} for source in ({"driver": "a"}, {"driver": "b"}, {})]
    allowed: list[Json] | None = None if drivers is None else [{"driver": one} for one in drivers]
    scc: JsonObject = {"volumes": list(volumes), "allowedFlexVolumes": allowed}
    made = decide(scc, {"volumes": flex, "containers": []})
    assert [str(one.path) for one in made.violations] == [
        f"spec.volumes[{index}].flexVolume.driver" for index in refused
    ]
    assert {rule_of(one) for one in made.violations} <= {"flexVolumes"}
    if refused:
        text = 'volumes[1].flexVolume.driver: Invalid value: "b": Flexvolume driver is not allowed to be used'
        assert printed(made)[0] == f"provider mine: .spec.{text}"


def test_drivers_do_not_matter_where_flex_volumes_are_not_allowed(decide: Decide) -> None:
    spec: JsonObject = {"volumes": [{"name": "v", "flexVolume": {"driver": "b"}}], "containers": []}
    made = decide({"volumes": ["secret"], "allowedFlexVolumes": [{"driver": "a"}]}, spec)
    assert [rule_of(one) for one in made.violations] == ["volumes"]
