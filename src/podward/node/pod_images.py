"""The images that a Pod needs: of its containers and of its volumes, with the credentials of its pull secrets."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Mapping

from msgspec import structs

from podward.api.cri import Mount, PodSandboxConfig
from podward.api.cri_status import AuthConfig
from podward.api.pod_seen import Failure
from podward.documents.raw_fields import member, objects
from podward.errors import ImageError
from podward.node.images import Tell, Wanted
from podward.node.parts import Parts
from podward.node.pod_state import PodState
from podward.policy.kubelet import pod_events, pull_secrets
from podward.schema.validation.raw import text


def wanted(
    parts: Parts, state: PodState, sandbox: PodSandboxConfig, image: tuple[str | None, str | None], tell: Tell
) -> Wanted:
    """An image of the Pod, by its name and its pull policy, with the credentials of the Pod's pull secrets."""
    subject, (name, policy) = state.subject, image
    namespace = subject.pod.metadata.namespace or ""
    named = [text(row, "name") for row in objects(member(subject.document, "spec"), "imagePullSecrets")]
    found = [parts.volumes.secret(namespace, each) for each in named]
    logins: tuple[AuthConfig, ...] = ()
    with contextlib.suppress(ImageError):  # what is no name is told when it is looked at
        logins = pull_secrets.credentials(name or "", [secret for secret in found if secret is not None])
    return Wanted(subject.uid, name or "", policy or "", sandbox, logins, tell)


def tell_of_secrets(parts: Parts, state: PodState) -> None:
    """Tell which pull secrets are not there: an image may be had without them."""
    document, namespace = state.subject.document, state.subject.pod.metadata.namespace or ""
    named = [text(row, "name") for row in objects(member(document, "spec"), "imagePullSecrets")]
    if missing := [name for name in named if parts.volumes.secret(namespace, name) is None]:
        parts.event(document, pod_events.NO_PULL_SECRET.about(names=", ".join(missing)))


async def of_volumes(
    parts: Parts, state: PodState, sandbox: PodSandboxConfig
) -> tuple[dict[str, Failure], dict[str, str]]:
    """Have the images of the Pod's volumes there, as the Pod's own affair.

    Those that are not are told by the volume's name, the ids of the others by the image's.
    """
    failed: dict[str, Failure] = {}
    ids: dict[str, str] = {}
    for volume in state.subject.pod.spec.volumes or ():
        if volume.image is None:
            continue
        asked = (volume.image.reference, volume.image.pull_policy)
        tell = functools.partial(parts.event, state.subject.document)
        found = await parts.images.ensure(wanted(parts, state, sandbox, asked, tell))
        if isinstance(found, Failure):
            failed[volume.name] = found
        else:
            ids[volume.image.reference or ""] = found.id
    return failed, ids


def by_id(mount: Mount, ids: Mapping[str, str]) -> Mount:
    """The mount; that of an image names the one that was found, whatever its name means by now."""
    found = ids.get(mount.image.image) if mount.image is not None else None
    if mount.image is None or found is None:
        return mount
    return structs.replace(mount, image=structs.replace(mount.image, image=found))
