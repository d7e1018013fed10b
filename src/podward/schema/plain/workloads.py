"""The objects that hold a plain Pod, by their kind.

Specification: `schema.table` and `schema.workload`, less what is rare. Fields that no Pod is made of are as their types
have them: nothing but the schema is asked about these.
"""

from __future__ import annotations

from typing import Literal

from podward.schema.plain.meta import PlainMeta
from podward.schema.plain.part import Long, Nothing, Number, PlainObject, Raw
from podward.schema.plain.pod import PlainSpec


class PlainTemplate(PlainObject, frozen=True):
    """PodTemplateSpec."""

    spec: PlainSpec
    metadata: PlainMeta | None = None


class PlainRequirement(PlainObject, frozen=True):
    """LabelSelectorRequirement."""

    key: str | None = None
    operator: str | None = None
    values: tuple[str, ...] | None = None


class PlainSelector(PlainObject, frozen=True):
    """LabelSelector."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[PlainRequirement, ...] | None = None


class RollingUpdate(PlainObject, frozen=True):
    """RollingUpdateDeployment, RollingUpdateDaemonSet."""

    max_surge: Number | str | None = None
    max_unavailable: Number | str | None = None


class Strategy(PlainObject, frozen=True):
    """DeploymentStrategy, DaemonSetUpdateStrategy."""

    type: str | None = None
    rolling_update: RollingUpdate | None = None


class OrderedUpdate(PlainObject, frozen=True):
    """RollingUpdateStatefulSetStrategy."""

    max_unavailable: Number | str | None = None
    partition: Number | None = None


class OrderedStrategy(PlainObject, frozen=True):
    """StatefulSetUpdateStrategy."""

    type: str | None = None
    rolling_update: OrderedUpdate | None = None


class Retention(PlainObject, frozen=True):
    """StatefulSetPersistentVolumeClaimRetentionPolicy."""

    when_deleted: str | None = None
    when_scaled: str | None = None


class ClaimTemplate(PlainObject, frozen=True):
    """PersistentVolumeClaim, as a StatefulSet makes one for each of its Pods."""

    metadata: PlainMeta
    spec: Raw | None = None
    api_version: str | None = None
    kind: str | None = None
    status: Raw | None = None


class _Replaced(PlainObject, frozen=True):
    """What a Deployment, a StatefulSet and a DaemonSet have in common."""

    template: PlainTemplate
    selector: PlainSelector | None = None
    min_ready_seconds: Number | None = None
    revision_history_limit: Number | None = None


class DeploymentSpec(_Replaced, frozen=True):
    """apps/v1 DeploymentSpec."""

    replicas: Number | None = None
    paused: bool | None = None
    progress_deadline_seconds: Number | None = None
    strategy: Strategy | None = None


class ReplicaSetSpec(PlainObject, frozen=True):
    """apps/v1 ReplicaSetSpec."""

    template: PlainTemplate
    selector: PlainSelector | None = None
    min_ready_seconds: Number | None = None
    replicas: Number | None = None


class ReplicationControllerSpec(PlainObject, frozen=True):
    """core/v1 ReplicationControllerSpec."""

    template: PlainTemplate
    selector: dict[str, str] | None = None
    min_ready_seconds: Number | None = None
    replicas: Number | None = None


class StatefulSetSpec(_Replaced, frozen=True):
    """apps/v1 StatefulSetSpec."""

    replicas: Number | None = None
    service_name: str | None = None
    pod_management_policy: str | None = None
    update_strategy: OrderedStrategy | None = None
    persistent_volume_claim_retention_policy: Retention | None = None
    volume_claim_templates: tuple[ClaimTemplate, ...] | None = None


class DaemonSetSpec(_Replaced, frozen=True):
    """apps/v1 DaemonSetSpec."""

    update_strategy: Strategy | None = None


class JobSpec(PlainObject, frozen=True):
    """batch/v1 JobSpec."""

    template: PlainTemplate
    active_deadline_seconds: Long | None = None
    backoff_limit: Number | None = None
    backoff_limit_per_index: Number | None = None
    completion_mode: str | None = None
    completions: Number | None = None
    managed_by: str | None = None
    manual_selector: bool | None = None
    max_failed_indexes: Number | None = None
    parallelism: Number | None = None
    pod_failure_policy: Raw | None = None
    pod_replacement_policy: str | None = None
    selector: PlainSelector | None = None
    suspend: bool | None = None
    ttl_seconds_after_finished: Number | None = None


class JobTemplate(PlainObject, frozen=True):
    """batch/v1 JobTemplateSpec."""

    spec: JobSpec
    metadata: PlainMeta | None = None


class CronJobSpec(PlainObject, frozen=True):
    """batch/v1 CronJobSpec."""

    job_template: JobTemplate
    schedule: str | None = None
    time_zone: str | None = None
    concurrency_policy: str | None = None
    starting_deadline_seconds: Long | None = None
    suspend: bool | None = None
    successful_jobs_history_limit: Number | None = None
    failed_jobs_history_limit: Number | None = None


class Workload(PlainObject, frozen=True):
    """Base: an object that says its kind; which one, whoever converts it knows already."""

    kind: str
    metadata: PlainMeta


class _Watched(Workload, frozen=True):
    """Base: an object that a controller writes its status into."""

    status: Nothing | None = None


class Pod(_Watched, frozen=True, kw_only=True):
    """core/v1 Pod."""

    api_version: Literal["v1"]
    spec: PlainSpec


class PodTemplate(Workload, frozen=True, kw_only=True):
    """core/v1 PodTemplate."""

    api_version: Literal["v1"]
    template: PlainTemplate


class ReplicationController(_Watched, frozen=True, kw_only=True):
    """core/v1 ReplicationController."""

    api_version: Literal["v1"]
    spec: ReplicationControllerSpec


class ReplicaSet(_Watched, frozen=True, kw_only=True):
    """apps/v1 ReplicaSet."""

    api_version: Literal["apps/v1"]
    spec: ReplicaSetSpec


class Deployment(_Watched, frozen=True, kw_only=True):
    """apps/v1 Deployment."""

    api_version: Literal["apps/v1"]
    spec: DeploymentSpec


class StatefulSet(_Watched, frozen=True, kw_only=True):
    """apps/v1 StatefulSet."""

    api_version: Literal["apps/v1"]
    spec: StatefulSetSpec


class DaemonSet(_Watched, frozen=True, kw_only=True):
    """apps/v1 DaemonSet."""

    api_version: Literal["apps/v1"]
    spec: DaemonSetSpec


class Job(_Watched, frozen=True, kw_only=True):
    """batch/v1 Job."""

    api_version: Literal["batch/v1"]
    spec: JobSpec


class CronJob(_Watched, frozen=True, kw_only=True):
    """batch/v1 CronJob."""

    api_version: Literal["batch/v1"]
    spec: CronJobSpec


Controller = Deployment | ReplicaSet | ReplicationController | DaemonSet
"""Those that have their template in `spec.template`, and nothing beside it that a Pod is made of."""
