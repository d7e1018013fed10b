"""What a PersistentVolumeClaim asks for: core/v1 and meta/v1 of Kubernetes."""

from __future__ import annotations

from msgspec import field

from podward.api.structure import View


class SelectorRequirement(View, frozen=True):
    """meta/v1 LabelSelectorRequirement."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class LabelSelector(View, frozen=True):
    """meta/v1 LabelSelector."""

    match_labels: dict[str, str | None] | None = None
    match_expressions: tuple[SelectorRequirement, ...] | None = None


class ClaimResources(View, frozen=True):
    """core/v1 VolumeResourceRequirements."""

    requests: dict[str, str | int | float] | None = None


class ClaimSpec(View, frozen=True):
    """core/v1 PersistentVolumeClaimSpec."""

    access_modes: tuple[str, ...] | None = None
    resources: ClaimResources | None = None
    storage_class_name: str | None = None
    volume_name: str | None = None
    volume_mode: str | None = None
    selector: LabelSelector | None = None


class ClaimTemplate(View, frozen=True):
    """core/v1 PersistentVolumeClaimTemplate."""

    spec: ClaimSpec = field(default_factory=ClaimSpec)
