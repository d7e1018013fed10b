"""Files of secret, configMap, downwardAPI and projected volumes: paths, modes, owners, errors."""

from __future__ import annotations

from typing import Any

import pytest

from podward.api.content import CertificateContent, ContentObject, FieldContent, KeyContent, TokenContent
from podward.api.effective import Place
from podward.api.node import Node
from podward.api.pod_facts import PodFacts
from podward.api.referenced_objects import ReferencedObjects
from podward.decision import Decision, Unknown
from podward.path import Path, path
from podward.policy.kubelet.volume_files import VolumeFiles, decide, in_memory, ownership
from podward.policy.kubelet.volume_paths import nested_mount_points
from podward.policy.kubelet.volumes import source_of
from podward.schema.view import pod_view

PLACE = Place("pod.yaml", Path())
WHERE = path("spec", "volumes", 0)
NOT_HERE = Unknown("the Secret is not in the input", "--with FILE")
OBJECTS = ReferencedObjects(
    {
        ("Secret", "shop", "db"): ContentObject("Secret", "shop", "db", {"password": b"p", "user": b"u"}),
        ("ConfigMap", "shop", "app"): ContentObject("ConfigMap", "shop", "app", {"run.sh": b"r", "conf": b"c"}),
    }
)
NODE = Node(capabilities=0, cpus=4, memory=8 << 30)


def decided(
    volume: dict[str, Any], spec: dict[str, Any] | None = None, objects: ReferencedObjects = OBJECTS
) -> Decision:
    container = {"name": "app", "image": "i", "resources": {"limits": {"cpu": "1500m", "memory": "1Gi"}}}
    raw: dict[str, Any] = {
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1", "labels": {"b": 'say "hi"', "a": "1"}},
        "spec": {"containers": [container], "volumes": [{"name": "v", **volume}], **(spec or {})},
    }
    pod = pod_view(raw)
    (view,) = pod.spec.volumes or ()
    return decide(view, PodFacts(pod, PLACE, objects, NODE), WHERE / source_of(view)[1])


def files(volume: dict[str, Any], spec: dict[str, Any] | None = None) -> dict[str, tuple[int, int | None]]:
    found = decided(volume, spec)
    assert not found.refused, found.violations
    return {file.path: (file.mode, file.uid) for file in found.fold(VolumeFiles).files}


def faults(volume: dict[str, Any]) -> list[tuple[str, str]]:
    return [(str(each.path), each.reason) for each in decided(volume).violations]


X = {"key": "x", "path": "x"}
PREFIX = 'MountVolume.SetUp failed for volume "v" : '


def test_every_key_becomes_a_file_with_the_default_mode() -> None:
    secret = {"secret": {"secretName": "db", "defaultMode": 0o400}}
    assert files(secret) == {"password": (0o400, None), "user": (0o400, None)}


def test_items_choose_keys_and_have_modes_of_their_own() -> None:
    items = [{"key": "run.sh", "path": "bin/run", "mode": 0o555}, {"key": "conf", "path": "conf"}]
    assert files({"configMap": {"name": "app", "items": items, "defaultMode": 0o640}}) == {
        "bin/run": (0o555, None),
        "conf": (0o640, None),
    }


def test_the_mode_is_owed_to_the_line_that_gives_it() -> None:
    items = [{"key": "user", "path": "u", "mode": 0o555}, {"key": "password", "path": "p"}]
    made = decided({"secret": {"secretName": "db", "items": items, "defaultMode": 0o400}})
    assert [str(each.source.path) for each in made.assignments[:2]] == [
        "spec.volumes[0].secret.defaultMode",
        "spec.volumes[0].secret.items[0].mode",
    ]


def test_a_missing_object_is_told_in_the_kubelets_words() -> None:
    ((place, reason),) = faults({"secret": {"secretName": "gone"}})
    assert place == "spec.volumes[0].secret.secretName"
    assert reason.startswith(f'{PREFIX}secret "gone" not found: ')
    assert "--with" in reason
    assert faults({"configMap": {"name": "gone"}})[0][1].startswith(f'{PREFIX}configmap "gone" not found: ')


def test_a_missing_object_is_awaited_and_its_files_have_their_modes() -> None:
    made = decided({"secret": {"secretName": "gone", "defaultMode": 0o400}})
    assert (made.refused, made.final) == (True, False)
    assert [(file.path, file.mode) for file in made.fold(VolumeFiles).files] == [("*", 0o400)]


@pytest.mark.parametrize(
    ("volume", "sentence"),
    [
        ({"secret": {"secretName": "db", "items": [X]}}, "references non-existent secret key: x"),
        ({"configMap": {"name": "app", "items": [X]}}, "configmap references non-existent config key: x"),
    ],
)
def test_a_missing_key_is_an_error(volume: dict[str, Any], sentence: str) -> None:
    ((_, reason),) = faults(volume)
    assert reason.startswith(f"{PREFIX}{sentence}: ")
    assert not decided(volume).final


def test_what_is_optional_may_be_missing() -> None:
    assert files({"secret": {"secretName": "gone", "optional": True}}) == {}
    items = [{"key": "x", "path": "x"}, {"key": "user", "path": "u"}]
    assert files({"secret": {"secretName": "db", "optional": True, "items": items}}) == {"u": (0o644, None)}


def test_an_object_that_is_not_known_leaves_what_items_name() -> None:
    items = [{"key": "a", "path": "a", "mode": 0o400}]
    made = decided({"secret": {"secretName": "x", "items": items}}, objects=ReferencedObjects(others=NOT_HERE))
    folded = made.fold(VolumeFiles)
    assert [(file.path, file.mode) for file in folded.files] == [("a", 0o400)]
    assert made.unknowns == (NOT_HERE,)


def test_fields_of_the_pod_become_text() -> None:
    items = [
        {"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}},
        {"path": "one", "fieldRef": {"fieldPath": "metadata.labels['a']"}},
        {"path": "cpu", "resourceFieldRef": {"containerName": "app", "resource": "limits.cpu"}},
        {"path": "mem", "resourceFieldRef": {"containerName": "app", "resource": "limits.memory", "divisor": "1Mi"}},
        {"path": "req", "resourceFieldRef": {"containerName": "app", "resource": "requests.cpu", "divisor": "1m"}},
    ]
    made = decided({"downwardAPI": {"items": items}}).fold(VolumeFiles)
    assert {file.path: file.content for file in made.files} == {
        "labels": FieldContent('a="1"\nb="say \\"hi\\""'),
        "one": FieldContent("1"),
        "cpu": FieldContent("2"),
        "mem": FieldContent("1024"),
        "req": FieldContent("0"),
    }


def test_a_missing_limit_is_what_the_node_can_allocate() -> None:
    items = [{"path": "disk", "resourceFieldRef": {"containerName": "app", "resource": "limits.ephemeral-storage"}}]
    (file,) = decided({"downwardAPI": {"items": items}}).fold(VolumeFiles).files
    assert file.content == FieldContent("0")
    spec: dict[str, Any] = {"containers": [{"name": "app", "image": "i"}]}
    limit = {"containerName": "app", "resource": "limits.memory", "divisor": "1Gi"}
    items = [{"path": "mem", "resourceFieldRef": limit}]
    (file,) = decided({"downwardAPI": {"items": items}}, spec).fold(VolumeFiles).files
    assert file.content == FieldContent("8")


def test_a_resource_of_no_container_is_an_error() -> None:
    items = [{"path": "x", "resourceFieldRef": {"containerName": "none", "resource": "limits.cpu"}}]
    assert [reason for _, reason in faults({"downwardAPI": {"items": items}})] == [f"{PREFIX}container none not found"]


def projected(*sources: dict[str, Any], mode: int = 0o644) -> dict[str, Any]:
    return {"projected": {"sources": list(sources), "defaultMode": mode}}


TOKEN = {"serviceAccountToken": {"path": "token", "audience": "vault", "expirationSeconds": 600}}


def test_a_projected_volume_takes_its_sources_in_order_and_the_later_wins() -> None:
    first = {"configMap": {"name": "app", "items": [{"key": "conf", "path": "user"}]}}
    second = {"secret": {"name": "db", "items": [{"key": "user", "path": "./user"}]}}
    made = decided(projected(first, second, TOKEN)).fold(VolumeFiles)
    assert {file.path: file.content for file in made.files} == {
        "user": KeyContent("Secret", "db", "user"),
        "token": TokenContent("vault", 600),
    }


def test_all_errors_of_a_projected_volume_are_told() -> None:
    sources = ({"secret": {"name": "gone"}}, {"configMap": {"name": "lost"}})
    told = [reason.rpartition(": ")[0] for _, reason in faults(projected(*sources))]
    assert told == [f'{PREFIX}secret "gone" not found', f'{PREFIX}configmap "lost" not found']


@pytest.mark.parametrize(
    ("spec", "mode", "uid"),
    [
        ({}, 0o644, None),
        ({"securityContext": {"fsGroup": 2000}}, 0o600, None),
        ({"securityContext": {"runAsUser": 1000}}, 0o600, 1000),
        ({"securityContext": {"runAsUser": 0}}, 0o600, 0),
        (
            {
                "initContainers": [{"name": "i", "image": "i", "securityContext": {"runAsUser": 1}}],
                "containers": [{"name": "a", "image": "i", "securityContext": {"runAsUser": 2}}],
            },
            0o644,
            None,
        ),
        (
            {
                "securityContext": {"runAsUser": 7},
                "initContainers": [{"name": "i", "image": "i", "securityContext": {"runAsUser": 7}}],
            },
            0o600,
            7,
        ),
    ],
)
def test_a_token_is_for_the_user_that_all_containers_share(spec: dict[str, Any], mode: int, uid: int | None) -> None:
    assert files(projected(TOKEN), spec) == {"token": (mode, uid)}


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("/abs", "invalid path: must be relative path: /abs"),
        ("a/../b", "invalid path: must not contain '..': a/../b"),
        ("..data", "invalid path: must not start with '..': ..data"),
        ("x" * 256, "invalid path: filenames must be less than or equal to 255 characters"),
        ("/".join(["x" * 100] * 50), "invalid path: must be less than or equal to 4096 characters"),
    ],
)
def test_no_path_leads_out_of_the_volume(written: str, sentence: str) -> None:
    volume = {"secret": {"secretName": "db", "items": [{"key": "user", "path": written}]}}
    assert [reason for _, reason in faults(volume)] == [PREFIX + sentence]


def test_only_a_config_map_is_on_disk() -> None:
    raw: list[Any] = [{"name": "a", "secret": {}}, {"name": "b", "configMap": {}}]
    volumes = pod_view({"metadata": {"name": "p"}, "spec": {"containers": [], "volumes": raw}}).spec.volumes or ()
    assert [in_memory(volume) for volume in volumes] == [True, False]


def test_fs_group_may_read_every_file_and_write_none() -> None:
    spec: dict[str, Any] = {"securityContext": {"fsGroup": 2000}, "containers": [{"name": "a", "image": "i"}]}
    made = decided({"secret": {"secretName": "db", "defaultMode": 0o400}}, spec)
    plan = made.fold(VolumeFiles)
    assert (plan.group, plan.modes) == (2000, ("0440",))
    pod = pod_view({"metadata": {"name": "p"}, "spec": spec})
    assert {ownership(file, pod) for file in plan.files} == {(0, 2000, 0o440)}


def test_certificates_that_a_cluster_publishes_are_there_unless_they_are_given() -> None:
    source = {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}}
    (file,) = decided(projected(source)).fold(VolumeFiles).files
    assert (file.path, file.content) == ("ca.crt", CertificateContent())
    given = ContentObject("ConfigMap", "shop", "kube-root-ca.crt", {"ca.crt": b"x"})
    objects = ReferencedObjects({("ConfigMap", "shop", "kube-root-ca.crt"): given})
    (file,) = decided(projected(source), objects=objects).fold(VolumeFiles).files
    assert file.content == KeyContent("ConfigMap", "kube-root-ca.crt", "ca.crt")


def test_what_only_an_api_server_has_is_unknown_and_an_optional_bundle_is_empty() -> None:
    certificate = {"podCertificate": {"signerName": "a/b", "keyPath": "key"}}
    bundle = {"clusterTrustBundle": {"name": "b", "path": "ca"}}
    made = decided(projected(bundle, certificate))
    assert not made.refused
    assert len(made.unknowns) == 2
    assert [file.path for file in made.fold(VolumeFiles).files] == ["ca", "key"]
    assert decided(projected({"clusterTrustBundle": {**bundle["clusterTrustBundle"], "optional": True}})).unknowns == ()


def test_mount_points_of_other_volumes_are_made_and_those_below_them_are_not() -> None:
    points = ["/dir", "/dir/nested", "/dir/nested-vol", "/dir/nested/double", "/dir2/x", "/dir/a/b"]
    mounts = [{"name": "v" if point == "/dir" else "w", "mountPath": point} for point in points]
    pod = pod_view({"metadata": {}, "spec": {"containers": [{"name": "a", "volumeMounts": mounts}]}})  # type: ignore[dict-item]  # JSON
    assert sorted(nested_mount_points(pod, "v")) == ["a/b", "nested", "nested-vol"]
