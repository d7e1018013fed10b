"""runAsNonRoot: which containers the kubelet refuses to start.

Specification (kubelet, `verifyRunAsNonRoot`, in our words): only where the merged runAsNonRoot is true, in order:
- a merged runAsUser of 0 is refused; any other is accepted, whatever the image's user is;
- an image user that is a name cannot be verified, and is refused;
- the image's uid 0 is refused;
- an image uid outside 0..2147483647 is refused.
Without the image it is unknown whether the container is refused, unless runAsUser says so.
"""

from __future__ import annotations

from podward.api.core import Pod, SecurityContext
from podward.api.effective import ImageUser, Place
from podward.api.gotext import quote
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Outcome, Source, Unknown, assign, refuse
from podward.path import Path, path

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} runAsNonRoot")
VERIFIED = path("verifyRunAsNonRoot")
"""Where it stands that nobody knows whether the container is refused."""
MAX_ID = 2147483647


def pod_label(pod: Pod) -> str:
    """The Pod's name in the kubelet's messages: `"name_namespace(uid)"`, quoted."""
    meta = pod.metadata
    return quote(f"{meta.name or ''}_{meta.namespace or ''}({meta.uid or ''})")


def decide(
    pod: Pod, container: str, merged: Outcome[SecurityContext], image: ImageUser | Unknown, place: Place
) -> Decision:
    """A violation where the container could run as root although it must not, at the runAsNonRoot that says so.

    Where only the image could tell, no violation but an unknown value at `VERIFIED`.
    """
    return _decide(pod, container, merged.value, image, _field(merged, place))


def _field(merged: Outcome[SecurityContext], place: Place) -> Path:
    """The path of runAsNonRoot: on the container, or on the Pod if it was inherited from there."""
    field = path("securityContext", "runAsNonRoot")
    source = merged.source(field, RULE)
    return source.path or place.container + field


def _decide(pod: Pod, container: str, merged: SecurityContext, image: ImageUser | Unknown, where: Path) -> Decision:
    if not merged.run_as_non_root:
        return Decision()
    if merged.run_as_user is not None:
        sentence = "container's runAsUser breaks non-root policy" if merged.run_as_user == 0 else ""
    elif isinstance(image, Unknown):
        return assign(VERIFIED, image, "an image whose user is root, or a name, is refused", RULE)
    elif image.uid is None and image.username:
        user = image.username
        sentence = f"container has runAsNonRoot and image has non-numeric user ({user}), cannot verify user is non-root"
    else:
        sentence = _numeric(image.uid)
    if not sentence:
        return Decision()
    text = f"{sentence} (pod: {pod_label(pod)}, container: {container})"
    return refuse(where, True, text, RULE)


def _numeric(uid: int | None) -> str:
    """Why the image's uid is refused; empty if it is accepted."""
    if uid is None:
        return ""
    if uid == 0:
        return "container has runAsNonRoot and image will run as root"
    if not 0 <= uid <= MAX_ID:
        return (
            f"container has runAsNonRoot and image has an invalid user id ({uid}). "
            f"(Must be 1-({MAX_ID})): must be between 0 and {MAX_ID}, inclusive"
        )
    return ""
