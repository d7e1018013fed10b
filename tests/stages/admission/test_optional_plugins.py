"""Plugins that refuse or set one thing each, most of which are at work only where they are enabled."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from podward.api.admission import PODS, AdmissionRequest, GroupResource, Operation
from podward.api.caller import User
from podward.api.json_value import Json, JsonObject
from podward.api.status import Status
from podward.documents.raw_fields import member
from podward.stages.admission.served import mutated, validated
from podward.stages.admission.served_facts import Served
from podward.stages.admission.settings import NO_SETTINGS, OFF_BY_DEFAULT, PluginSettings

_CLAIMS = GroupResource("", "persistentvolumeclaims")


class _Objects:
    def __init__(self, **known: list[JsonObject]) -> None:
        self._known = known

    def get(self, plural: str, namespace: str, name: str) -> JsonObject | None:
        del namespace
        return next((each for each in self.all(plural) if member(each, "metadata").get("name") == name), None)

    def all(self, plural: str, namespace: str = "") -> Iterable[JsonObject]:
        del namespace
        return self._known.get(plural, [])


def _namespace(**annotations: Json) -> JsonObject:
    return {"metadata": {"name": "n", "annotations": annotations}}


def _asked(
    obj: JsonObject | None, resource: GroupResource = PODS, old: JsonObject | None = None,
    settings: PluginSettings = NO_SETTINGS, **known: list[JsonObject],
) -> Served:  # fmt: skip
    operation = Operation.CREATE if old is None else Operation.UPDATE if obj is not None else Operation.DELETE
    request = AdmissionRequest(operation, obj, User(), "n", "x", old, resource=resource)
    known.setdefault("namespaces", [_namespace()])
    return Served(request, _Objects(**known), "abcde", settings=settings)


def _only(name: str) -> frozenset[str]:
    """All plugins off but this one."""
    from podward.stages.admission.served import PLUGINS

    return (frozenset(plugin.name for plugin in PLUGINS) | OFF_BY_DEFAULT) - {name}


def _pod(**spec: Json) -> JsonObject:
    return {"metadata": {"name": "x"}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def _made(asked: Served, plugin: str) -> JsonObject:
    found = mutated(asked, _only(plugin))
    assert isinstance(found, dict), found
    return found


def _why(found: object) -> str:
    assert isinstance(found, Status), found
    return found.message


def test_every_image_is_pulled_always() -> None:
    pod = _pod(volumes=[{"name": "v", "image": {"reference": "r"}}])
    spec = member(_made(_asked(pod), "AlwaysPullImages"), "spec")
    assert spec["containers"] == [{"name": "c", "image": "i", "imagePullPolicy": "Always"}]
    assert spec["volumes"] == [{"name": "v", "image": {"reference": "r", "pullPolicy": "Always"}}]
    assert _why(validated(_asked(pod), _only("AlwaysPullImages"))) == (
        'pods "x" is forbidden: spec.containers[0].imagePullPolicy: Unsupported value: "": supported values: "Always"'
    )
    assert _made(_asked(pod, old=pod), "AlwaysPullImages") is pod


def test_a_namespace_or_the_cluster_chooses_the_nodes_of_its_pods() -> None:
    annotated = _namespace(**{"scheduler.alpha.kubernetes.io/node-selector": "zone=a"})
    made = _made(_asked(_pod(nodeSelector={"disk": "ssd"}), namespaces=[annotated]), "PodNodeSelector")
    assert member(made, "spec")["nodeSelector"] == {"zone": "a", "disk": "ssd"}
    conflict = mutated(_asked(_pod(nodeSelector={"zone": "b"}), namespaces=[annotated]), _only("PodNodeSelector"))
    assert _why(conflict).endswith("pod node label selector conflicts with its namespace node label selector")
    settings = PluginSettings({"clusterDefaultNodeSelector": "zone=c", "n": "zone=c"})
    assert member(_made(_asked(_pod(), settings=settings), "PodNodeSelector"), "spec")["nodeSelector"] == {"zone": "c"}
    outside = mutated(_asked(_pod(nodeSelector={"disk": "ssd"}), settings=settings), _only("PodNodeSelector"))
    assert _why(outside).endswith("pod node label selector labels conflict with its namespace whitelist")


def test_pods_tolerate_what_their_namespace_says_and_no_more() -> None:
    allowed = '[{"key": "k", "operator": "Exists"}]'
    annotated = _namespace(**{
        "scheduler.alpha.kubernetes.io/defaultTolerations": '[{"key": "k", "operator": "Equal", "value": "v"}]',
        "scheduler.alpha.kubernetes.io/tolerationsWhitelist": allowed,
    })  # fmt: skip
    made = _made(_asked(_pod(), namespaces=[annotated]), "PodTolerationRestriction")
    assert member(made, "spec")["tolerations"] == [{"key": "k", "operator": "Equal", "value": "v"}]
    wide = _asked(_pod(tolerations=[{"operator": "Exists"}]), namespaces=[annotated])
    assert "conflict with its namespace whitelist" in _why(mutated(wide, _only("PodTolerationRestriction")))
    covered = _asked(_pod(tolerations=[{"key": "k", "operator": "Exists"}]), namespaces=[annotated])
    assert member(_made(covered, "PodTolerationRestriction"), "spec")["tolerations"] == [
        {"key": "k", "operator": "Exists"}
    ]


def test_who_asks_for_an_extended_resource_tolerates_its_taint() -> None:
    containers: Json = [{"name": "c", "image": "i", "resources": {"requests": {"x.io/gpu": "1", "cpu": "1"}}}]
    made = _made(_asked(_pod(containers=containers)), "ExtendedResourceToleration")
    assert member(made, "spec")["tolerations"] == [{"key": "x.io/gpu", "operator": "Exists", "effect": "NoSchedule"}]


def test_the_newest_default_ingress_class_is_taken_and_the_first_by_name_of_two() -> None:
    def of(name: str, made: str, default: str = "true") -> JsonObject:
        annotations: JsonObject = {"ingressclass.kubernetes.io/is-default-class": default}
        return {"metadata": {"name": name, "creationTimestamp": made, "annotations": annotations}}

    classes = [of("a", "2026-01-01T00:00:00Z"), of("c", "2026-01-02T00:00:00Z"), of("b", "2026-01-02T00:00:00Z")]
    ingresses = GroupResource("networking.k8s.io", "ingresses")
    made = mutated(_asked({"metadata": {}, "spec": {}}, ingresses, ingressclasses=classes))
    assert isinstance(made, dict)
    assert member(made, "spec")["ingressClassName"] == "b"
    named: JsonObject = {"metadata": {}, "spec": {"ingressClassName": "z"}}
    assert mutated(_asked(named, ingresses, ingressclasses=classes)) is named


def test_a_pod_with_a_node_is_labelled_with_its_place() -> None:
    labels: JsonObject = {"topology.kubernetes.io/zone": "z", "other": "o"}
    node: JsonObject = {"metadata": {"name": "one", "labels": labels}}
    made = _made(_asked(_pod(nodeName="one"), nodes=[node]), "PodTopologyLabels")
    assert member(made, "metadata")["labels"] == {"topology.kubernetes.io/zone": "z"}


def test_only_bound_claims_of_a_class_that_lets_them_grow() -> None:
    def claim(size: str, phase: str = "Bound") -> JsonObject:
        requests: JsonObject = {"requests": {"storage": size}}
        return {"metadata": {}, "spec": {"storageClassName": "s", "resources": requests}, "status": {"phase": phase}}

    flexible: JsonObject = {"metadata": {"name": "s"}, "allowVolumeExpansion": True}
    assert validated(_asked(claim("2Gi"), _CLAIMS, claim("1Gi"), storageclasses=[flexible])) is None
    assert validated(_asked(claim("1Gi"), _CLAIMS, claim("1Gi", "Pending"))) is None
    assert "only dynamically provisioned" in _why(validated(_asked(claim("2Gi"), _CLAIMS, claim("1Gi"))))
    pending = _asked(claim("2Gi"), _CLAIMS, claim("1Gi", "Pending"), storageclasses=[flexible])
    assert _why(validated(pending)).endswith("Only bound persistent volume claims can be expanded")


@pytest.mark.parametrize(
    ("plugin", "asked", "why"),
    [
        ("AlwaysDeny", _asked(None, old=_pod()), "admission control is denying all modifications"),
        ("NamespaceExists", _asked(_pod(), namespaces=[]), 'namespaces "n" not found'),
        (
            "DenyServiceExternalIPs",
            _asked({"metadata": {}, "spec": {"externalIPs": ["1.2.3.4"]}}, GroupResource("", "services")),
            "Use of external IPs is denied by admission control",
        ),
        (
            "LimitPodHardAntiAffinityTopology",
            _asked(_pod(affinity={
                "podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [{"topologyKey": "zone"}]}
            })),
            "has TopologyKey zone but only key kubernetes.io/hostname is allowed",
        ),
    ],
)  # fmt: skip
def test_what_is_enabled_refuses_and_by_default_nothing_does(plugin: str, asked: Served, why: str) -> None:
    found = mutated(asked, _only(plugin))
    found = found if isinstance(found, Status) else validated(asked, _only(plugin))
    assert _why(found).endswith(why)
    everything = _only(plugin) | {plugin}
    assert not isinstance(mutated(asked, everything), Status)
    assert validated(asked, everything) is None
    assert plugin in OFF_BY_DEFAULT
