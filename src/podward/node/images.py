"""Has a container's image there before it is made: looked at, pulled, or waited for, as its pull policy says.

Specification (kubelet, pkg/kubelet/images image_manager.go, credentialprovider keyring, in our words): a name without
tag and digest means `latest`; one that is no name is InvalidImageName. Under Always the runtime is asked to pull; under
IfNotPresent only where the image is not here; under Never that is ErrImageNeverPull. A pull that failed waits (10 s,
twice as long each time, at most 300 s) for each Pod and image, and what failed last is told meanwhile. The credentials
are those of the Pod's pull secrets whose registry, with as much of the path as it names, begins the image's name: the
longest first, and each is tried.

Ours: under Always, where no registry can be reached, an image that was never pulled from one, but was imported here,
counts as pulled: nobody could have a newer one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from podward.api import reference
from podward.api.cri import ImageSpec, PodSandboxConfig
from podward.api.cri_image_requests import ImageStatusRequest, PullImageRequest
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_status import AuthConfig, Image
from podward.api.gotext import quote
from podward.api.pod_seen import BackOff, Failure
from podward.errors import ImageError
from podward.node.runtime import Runtime
from podward.policy.kubelet import back_off, pod_events
from podward.policy.kubelet.pod_events import PodEvent
from podward.runtime.service import verbs

_UNREACHABLE = "RegistryUnavailable"
_UNSIGNED = "SignatureValidationFailed"

Tell = Callable[[PodEvent], None]
"""Tells an event of who wants the image."""


class Wanted(Struct, frozen=True):
    """An image of a Pod: its name, its pull policy, what it may be pulled with, and how events of it are told."""

    uid: str
    image: str
    policy: str
    sandbox: PodSandboxConfig
    credentials: Sequence[AuthConfig]
    tell: Tell
    runtime_handler: str = ""


class Images:
    """The images of the node's containers."""

    def __init__(self, runtime: Runtime, changed: Callable[[], None]) -> None:
        """`changed` is told that an image has come."""
        self._runtime = runtime
        self._changed = changed
        self._back_offs: dict[tuple[str, str], BackOff] = {}
        self._failed: dict[tuple[str, str], tuple[float, str]] = {}

    async def ensure(self, wanted: Wanted) -> Image | Failure:
        """The image, or why the container has to wait."""
        asked = wanted.image
        try:
            name = complete(asked)
        except ImageError as error:
            why = f"couldn't parse image name {quote(asked)}: {_complaint(asked, error)}"
            event = pod_events.INVALID_IMAGE.about(image=quote(asked), why=why)
            return _failed(wanted, "InvalidImageName", event)
        policy = wanted.policy or "IfNotPresent"
        found = await self._found(name, wanted.runtime_handler) if policy != "Always" else None
        if isinstance(found, CriRefusal):
            event = pod_events.INSPECT_FAILED.about(image=quote(""), why=found.as_error)
            return _failed(wanted, "ImageInspectError", event)
        if found is not None:
            wanted.tell(pod_events.PRESENT.about(image=quote(asked)))
            return found
        if policy == "Never":
            return _failed(wanted, "ErrImageNeverPull", pod_events.NEVER_PULLED.about(image=quote(asked)))
        return await self._pull(wanted, asked, name)

    def forget(self, uid: str) -> None:
        """A Pod is gone."""
        for known in (self._back_offs, self._failed):
            for key in [key for key in known if key[0] == uid]:
                del known[key]

    def waits_until(self, uid: str) -> float | None:
        """When an image of the Pod may be tried again; None where none waits."""
        moments = [
            back_off.until(self._back_offs.get(key), at) for key, (at, _) in self._failed.items() if key[0] == uid
        ]
        return min(moments, default=None)

    async def _found(self, name: str, handler: str) -> Image | CriRefusal | None:
        answer = await self._runtime.call(
            verbs.IMAGE_STATUS, ImageStatusRequest(ImageSpec(name, runtime_handler=handler))
        )
        return answer if isinstance(answer, CriRefusal) else answer.image

    async def _pull(self, wanted: Wanted, asked: str, name: str) -> Image | Failure:
        key, tell = (wanted.uid, asked), wanted.tell
        failed_at, failed = self._failed.get(key, (0.0, ""))
        if failed and back_off.until(self._back_offs.get(key), failed_at) > time.time():
            event = pod_events.PULL_WAITS.about(image=quote(asked))
            tell(event)
            return Failure("ImagePullBackOff", f"{event.message}: {failed}")
        self._failed.pop(key, None)
        tell(pod_events.PULLING.about(image=quote(asked)))
        began = time.monotonic()
        answer = await self._pulled(wanted, name)
        if isinstance(answer, CriRefusal):
            return self._refused(wanted, asked, answer)
        took = time.monotonic() - began
        tell(pod_events.pulled(asked, took, took, answer.size))
        self._back_offs.pop(key, None)
        self._changed()
        return answer

    def _refused(self, wanted: Wanted, asked: str, refusal: CriRefusal) -> Failure:
        key, unknown = (wanted.uid, asked), refusal.code is CriCode.UNKNOWN  # a kubelet says nothing of that code
        said = pod_events.one_line(refusal.message if unknown else refusal.as_error)
        wanted.tell(pod_events.PULL_FAILED.about(image=quote(asked), why=said))
        now = time.time()
        self._back_offs[key] = back_off.after(self._back_offs.get(key), now, now)
        reason, message = "ErrImagePull", said
        for word, what in (
            (_UNREACHABLE, "the registry is unavailable"),
            (_UNSIGNED, "the signature validation failed"),
        ):
            if refusal.message.startswith(word):
                rest = pod_events.one_line(refusal.message.removeprefix(word))
                reason, message = word, f"image pull failed for {asked} because {what}{rest}"
        self._failed[key] = (now, f"{reason}: {message}")
        return Failure(reason, message)

    async def _pulled(self, wanted: Wanted, name: str) -> Image | CriRefusal:
        """The image, pulled with the credentials one after the other, or as nobody."""
        answer: Image | CriRefusal = CriRefusal(CriCode.UNKNOWN, "nothing was tried")
        spec = ImageSpec(name, runtime_handler=wanted.runtime_handler)
        for login in wanted.credentials or (None,):
            pulled = await self._runtime.call(verbs.PULL_IMAGE, PullImageRequest(spec, login, wanted.sandbox))
            if not isinstance(pulled, CriRefusal):
                found = await self._found(pulled.image_ref, wanted.runtime_handler)
                return found if found is not None else CriRefusal(CriCode.NOT_FOUND, f"image {name} is gone again")
            answer = pulled
        unreachable = isinstance(answer, CriRefusal) and answer.code is CriCode.UNAVAILABLE
        return (await self._imported(name, wanted.runtime_handler) if unreachable else None) or answer

    async def _imported(self, name: str, handler: str) -> Image | None:
        """The image of this name that no registry has given: it has no digest of one."""
        found = await self._found(name, handler)
        return found if isinstance(found, Image) and not found.repo_digests else None


def _failed(wanted: Wanted, reason: str, event: PodEvent) -> Failure:
    wanted.tell(event)
    return Failure(reason, event.message)


def _complaint(image: str, error: ImageError) -> str:
    """What distribution/reference says of what is no image's name."""
    if "lower case" not in error.what:
        return "invalid reference format"
    first, slash, rest = image.partition("/")
    is_host = slash and (first == "localhost" or any(mark in first for mark in ".:") or first != first.lower())
    name = rest if is_host else image if slash else f"library/{image}"
    return f"invalid reference format: repository name ({name.partition(':')[0]}) must be lowercase"


def complete(image: str) -> str:
    """The name with `:latest` where it has neither tag nor digest. Raises ImageError for what is no name."""
    parsed = reference.parse(image)
    if parsed.tag and not parsed.digest and not image.endswith(f":{parsed.tag}"):
        return f"{image}:{parsed.tag}"
    return image
