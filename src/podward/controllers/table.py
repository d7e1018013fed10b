"""The controllers by name: what `--controllers` may say, and the module whose `make` makes each.

A row is added by whoever writes a controller; nothing else knows which there are.
"""

from __future__ import annotations

from msgspec import Struct


class Row(Struct, frozen=True):
    """A controller: its name of kube-controller-manager's, its older name, the module that makes it."""

    name: str
    older: str
    module: str
    openshift: bool = False
    """Whether it is one of OpenShift's, and runs with `--openshift` alone."""


TABLE: tuple[Row, ...] = (
    Row("clusterrole-aggregation-controller", "clusterrole-aggregation", "podward.controllers.cluster_roles"),
    Row("cronjob-controller", "cronjob", "podward.controllers.cron.controller"),
    Row("daemonset-controller", "daemonset", "podward.controllers.apps.daemon_sets.controller"),
    Row("deployment-controller", "deployment", "podward.controllers.apps.deployments.controller"),
    Row(
        "deploymentconfig-controller",
        "deploymentconfig",
        "podward.controllers.deployment_configs.controller",
        openshift=True,
    ),
    Row("disruption-controller", "disruption", "podward.controllers.disruption.controller"),
    Row("endpoints-controller", "endpoint", "podward.controllers.endpoints.controller"),
    Row("endpointslice-controller", "endpointslice", "podward.controllers.endpoints.slice_controller"),
    Row("endpointslice-mirroring-controller", "endpointslicemirroring", "podward.controllers.endpoints.mirroring"),
    Row("ephemeral-volume-controller", "ephemeral-volume", "podward.controllers.volumes.ephemeral"),
    Row("garbage-collector-controller", "garbagecollector", "podward.controllers.garbage.collector"),
    Row("job-controller", "job", "podward.controllers.jobs.controller"),
    Row("kube-scheduler", "scheduler", "podward.controllers.scheduler"),
    Row(
        "legacy-serviceaccount-token-cleaner-controller",
        "legacy-service-account-token-cleaner",
        "podward.controllers.legacy_tokens",
    ),
    Row("namespace-controller", "namespace", "podward.controllers.namespaces.controller"),
    Row("node-ipam-controller", "nodeipam", "podward.controllers.nodes.ranges"),
    Row("node-lifecycle-controller", "nodelifecycle", "podward.controllers.nodes.lifecycle"),
    Row("persistentvolume-binder-controller", "persistentvolume-binder", "podward.controllers.volumes.binder"),
    Row("persistentvolume-protection-controller", "pv-protection", "podward.controllers.volumes.pv_protection"),
    Row("persistentvolumeclaim-protection-controller", "pvc-protection", "podward.controllers.volumes.pvc_protection"),
    Row("pod-garbage-collector-controller", "podgc", "podward.controllers.pod_garbage"),
    Row("replicaset-controller", "replicaset", "podward.controllers.apps.replica_sets"),
    Row(
        "replicationcontroller-controller", "replicationcontroller", "podward.controllers.apps.replication_controllers"
    ),
    Row("resourcequota-controller", "resourcequota", "podward.controllers.quotas"),
    Row("service-ca-cert-publisher", "service-ca-cert-publisher", "podward.controllers.service_ca", openshift=True),
    Row("service-cidr-controller", "service-cidr-controller", "podward.controllers.service_cidrs"),
    Row("statefulset-controller", "statefulset", "podward.controllers.apps.stateful_sets.controller"),
    Row("taint-eviction-controller", "taint-eviction-controller", "podward.controllers.nodes.taint_eviction"),
    Row("ttl-after-finished-controller", "ttl-after-finished", "podward.controllers.jobs.expiry"),
    Row("ttl-controller", "ttl", "podward.controllers.nodes.ttl"),
    Row(
        "volumeattributesclass-protection-controller",
        "volumeattributesclass-protection-controller",
        "podward.controllers.volumes.vac_protection",
    ),
)


def unknown(text: str) -> str:
    """The first word of it that is no controller; empty where there is none."""
    known = {name for row in TABLE for name in (row.name, row.older)}
    for word in filter(None, text.split(",")):
        if word != "*" and word.removeprefix("-") not in known:
            return word.removeprefix("-")
    return ""


def enabled(text: str) -> tuple[Row, ...]:
    """The controllers that run: `*` means all, NAME one of them, -NAME all but this one."""
    words = [word for word in text.split(",") if word]
    named = {word for word in words if not word.startswith("-")}
    left_out = {word[1:] for word in words if word.startswith("-")}
    return tuple(
        row for row in TABLE if not {row.name, row.older} & left_out and ("*" in named or {row.name, row.older} & named)
    )
