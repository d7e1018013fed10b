"""What the API server says of AppArmor's old annotations.

Specification: Kubernetes, the Pod registry's applyAppArmorVersionSkew, which warns of a Pod before it makes fields of
its annotations, and pkg/api/pod warningsForPodSpecAndMeta, which warns of a template. An annotation is silent beside
the container's field, and where the Pod's own profile says the same; in a Pod also where the Pod is for Windows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from podward.documents.raw_fields import container_objects, member
from podward.path import Key, path
from podward.schema.defaulting import apparmor_profile
from podward.schema.old_annotations import APP_ARMOR
from podward.schema.validation.apparmor import PREFIX

if TYPE_CHECKING:
    from podward.api.core import Container, Pod
    from podward.api.json_value import JsonObject


def of_pod(pod: JsonObject) -> tuple[str, ...]:
    """The warnings about a Pod as it was sent."""
    annotations = member(member(pod, "metadata"), "annotations")
    if not any(name.startswith(PREFIX) for name in annotations):
        return ()
    spec = member(pod, "spec")
    if member(spec, "os").get("name") == "windows":
        return ()
    own = member(spec, "securityContext").get("appArmorProfile")
    found: list[str] = []
    for _, container in container_objects(pod, path()):
        key = f"{PREFIX}{container.get('name')}"
        written = annotations.get(key)
        has_field = member(container, "securityContext").get("appArmorProfile") is not None
        if isinstance(written, str) and not has_field and (own is None or apparmor_profile(written) != own):
            found.append(_warning(key))
    return tuple(found)


def of_container(template: Pod, container: Container) -> Iterator[str]:
    """The warning about the annotation of one container of a template."""
    key = f"{PREFIX}{container.name}"
    written = (template.metadata.annotations or {}).get(key)
    if written is None:
        return
    own, context = container.security_context, template.spec.security_context
    if own is not None and own.app_armor_profile is not None:
        return
    whole = context.app_armor_profile if context is not None else None
    said = apparmor_profile(written)
    if (
        whole is None
        or said is None
        or (whole.type, whole.localhost_profile)
        != (
            said["type"],
            said.get("localhostProfile"),
        )
    ):
        yield _warning(key)


def _warning(key: str) -> str:
    return f"{path('metadata', 'annotations') / Key(key)}: {APP_ARMOR}"
