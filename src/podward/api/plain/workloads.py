"""The objects that hold a plain Pod, by their kind.

Specification: `schema_table` and `api.workload`, less what is rare. Fields that no Pod is made of are as their types
have them: nothing but the schema is asked about these.
"""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from podward.api.plain.parts import Nothing, Part, PlainMeta, PlainSpec, Raw

Number: TypeAlias = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Long: TypeAlias = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]


class PlainTemplate(Part, frozen=True):
    """PodTemplateSpec."""

    spec: PlainSpec
    metadata: PlainMeta | None = None


class PlainSelector(Part, frozen=True):
    """LabelSelector."""

    match_labels: dict[str, str] | None = None


class RollingUpdate(Part, frozen=True):
    """RollingUpdateDeployment, RollingUpdateDaemonSet."""

    max_surge: Number | str | None = None
    max_unavailable: Number | str | None = None


class Strategy(Part, frozen=True):
    """DeploymentStrategy, DaemonSetUpdateStrategy."""

    type: str | None = None
    rolling_update: RollingUpdate | None = None


class OrderedUpdate(Part, frozen=True):
    """RollingUpdateStatefulSetStrategy."""

    max_unavailable: Number | str | None = None
    partition: Number | None = None


class OrderedStrategy(Part, frozen=True):
    """StatefulSetUpdateStrategy."""

    type: str | None = None
    rolling_update: OrderedUpdate | None = None


class Retention(Part, frozen=True):
    """StatefulSetPersistentVolumeClaimRetentionPolicy."""

    when_deleted: str | None = None
    when_scaled: str | None = None


class ClaimTemplate(Part, frozen=True):
    """PersistentVolumeClaim, as a StatefulSet makes one for each of its Pods."""

    metadata: PlainMeta
    spec: Raw | None = None
    api_version: str | None = None
    kind: str | None = None
    status: Nothing | None = None


class _Replaced(Part, frozen=True):
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


class JobSpec(Part, frozen=True):
    """batch/v1 JobSpec."""

    template: PlainTemplate
    active_deadline_seconds: Long | None = None
    backoff_limit: Number | None = None
    completion_mode: str | None = None
    completions: Number | None = None
    parallelism: Number | None = None
    suspend: bool | None = None
    ttl_seconds_after_finished: Number | None = None


class JobTemplate(Part, frozen=True):
    """batch/v1 JobTemplateSpec."""

    spec: JobSpec
    metadata: PlainMeta | None = None


class CronJobSpec(Part, frozen=True):
    """batch/v1 CronJobSpec."""

    job_template: JobTemplate
    schedule: str | None = None
    time_zone: str | None = None
    concurrency_policy: str | None = None
    starting_deadline_seconds: Long | None = None
    suspend: bool | None = None
    successful_jobs_history_limit: Number | None = None
    failed_jobs_history_limit: Number | None = None


class Workload(Part, frozen=True):
    """Base: an object that says its kind; which one, whoever converts it knows already."""

    kind: str
    metadata: PlainMeta
    status: Nothing | None = None


class Pod(Workload, frozen=True, kw_only=True):
    """core/v1 Pod."""

    api_version: Literal["v1"]
    spec: PlainSpec


class Deployment(Workload, frozen=True, kw_only=True):
    """apps/v1 Deployment."""

    api_version: Literal["apps/v1"]
    spec: DeploymentSpec


class StatefulSet(Workload, frozen=True, kw_only=True):
    """apps/v1 StatefulSet."""

    api_version: Literal["apps/v1"]
    spec: StatefulSetSpec


class DaemonSet(Workload, frozen=True, kw_only=True):
    """apps/v1 DaemonSet."""

    api_version: Literal["apps/v1"]
    spec: DaemonSetSpec


class Job(Workload, frozen=True, kw_only=True):
    """batch/v1 Job."""

    api_version: Literal["batch/v1"]
    spec: JobSpec


class CronJob(Workload, frozen=True, kw_only=True):
    """batch/v1 CronJob."""

    api_version: Literal["batch/v1"]
    spec: CronJobSpec
