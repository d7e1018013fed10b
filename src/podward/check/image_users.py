"""Whether a container still starts once `runAsNonRoot: true` is set, as far as its image is here.

The kubelet looks at the image's user where no runAsUser is set: it refuses root, and it refuses a name, even that of an
ordinary user. So for an image with a name, the uid of this name in the image's /etc/passwd is set with it, which
changes nothing for the process. For an image that runs as root no change is made: nobody but its author can say as
which user it works.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from msgspec import Struct, structs

from podward.api.core import Container, SecurityContext
from podward.api.explanation import Change
from podward.api.finding import Finding
from podward.api.image import Image
from podward.decision import Value
from podward.path import Path, path
from podward.policy.kubelet.user import of_image
from podward.schema.workload import PodSource

FindImage = Callable[[str], Image | None]
"""Finds an image by its name; None if it is not here."""

_CONTEXT = path("securityContext")
_POD = path("spec", "securityContext")
_UNWRITTEN = SecurityContext()


class SuitedFinding(Struct, frozen=True):
    """A finding with the changes that its images need, too.

    `said` tells which changes these are, `refusal` why the finding's own cannot be made.
    """

    finding: Finding
    said: tuple[str, ...] = ()
    refusal: str = ""


def suited(source: PodSource, findings: Sequence[Finding], find: FindImage) -> tuple[SuitedFinding, ...]:
    """The findings, all of one workload, whose changes are made together."""
    depth = len(source.prefix.segments)
    wanted: dict[Path, Value] = {}
    for finding in findings:
        for change in finding.changes:
            wanted.setdefault(Path(change.path.segments[depth:]), change.value)
    return tuple(_suited(source, finding, wanted, find) for finding in findings)


def _suited(source: PodSource, finding: Finding, wanted: Mapping[Path, Value], find: FindImage) -> SuitedFinding:
    extra: list[Change] = []
    said: list[str] = []
    depth = len(source.prefix.segments)
    own = {Path(change.path.segments[depth:]) for change in finding.changes if change.value is True}
    for place, container in _made_non_root(source, own):
        if _run_as_user(source, container, place, wanted) is not None:
            continue
        image = find(container.image or "")
        user = of_image(image.config.user) if image is not None else None
        if image is None or user is None or user.uid:
            continue
        uid = next((entry.uid for entry in image.passwd if entry.name == user.username), 0) if user.username else 0
        if not uid:
            return SuitedFinding(finding, refusal=_refusal(container, image))
        extra.append(Change(source.prefix + place / "runAsUser", uid))
        said.append(f"container {container.name}: runAsUser {uid} is the user {user.username} of image {image.name}")
    if not extra:
        return SuitedFinding(finding)
    return SuitedFinding(structs.replace(finding, changes=(*finding.changes, *extra)), tuple(said))


def _refusal(container: Container, image: Image) -> str:
    user = image.config.user
    runs = f"has the user {user}, of whom its /etc/passwd has no uid but 0" if user else "runs as root"
    return (
        f"image {image.name} of container {container.name} {runs}: with runAsNonRoot it would not start."
        " Set runAsUser to a user that can run it, or use another image."
    )


def _made_non_root(source: PodSource, changed: set[Path]) -> Iterator[tuple[Path, Container]]:
    """The containers that one of the changed fields keeps from running as root, each with the place of its context."""
    on_pod = _POD / "runAsNonRoot" in changed
    spec = source.view.spec
    if spec.os is not None and spec.os.name == "windows":
        return
    for field, containers in (("initContainers", spec.init_containers), ("containers", spec.containers)):
        listed = containers or ()
        # Of a change in one container, the others are not looked at: there may be thousands of both.
        for index in range(len(listed)) if on_pod else _changed_in(field, changed):
            place = path("spec", field, index) + _CONTEXT
            says = (listed[index].security_context or _UNWRITTEN).run_as_non_root
            if place / "runAsNonRoot" in changed or (on_pod and says is None):
                yield place, listed[index]


def _changed_in(field: str, changed: set[Path]) -> list[int]:
    """The indexes of the containers in which a field is changed."""
    places = (place.segments[:3] for place in changed)
    return sorted({place[2] for place in places if place[:2] == ("spec", field) and isinstance(place[2], int)})


def _run_as_user(source: PodSource, container: Container, place: Path, wanted: Mapping[Path, Value]) -> Value:
    """The uid that the container will be given; None if the image decides."""
    pod = source.view.spec.security_context
    own = wanted.get(place / "runAsUser", (container.security_context or _UNWRITTEN).run_as_user)
    return own if own is not None else wanted.get(_POD / "runAsUser", pod.run_as_user if pod is not None else None)
