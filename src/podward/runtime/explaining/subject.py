"""The Pod that is to be explained, or run: as it is stored, and what was decided on the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, structs

from podward.api.referenced_objects import NO_OBJECTS
from podward.decision import Decision

if TYPE_CHECKING:
    from podward.api.core import Pod
    from podward.api.cri import IDMapping
    from podward.api.effective import Place
    from podward.api.explanation import AdmissionExplanation
    from podward.api.referenced_objects import ReferencedObjects
    from podward.decision import Violation
    from podward.path import Path


class PodToExplain(Struct, frozen=True):
    """A Pod to explain or to run: as the API server would store it, and what was decided on the way there.

    `objects` are those that it may refer to.
    `userns` is the range of a Pod that runs already; another Pod gets the one that would be next. `admitted` is what
    the API server's admission decided, its places in the document, and `admission` how it came to that; None where
    nobody asked it.
    """

    pod: Pod
    place: Place
    kind: str
    name: str
    defaults: Decision
    objects: ReferencedObjects = NO_OBJECTS
    userns: IDMapping | None = None
    admitted: Decision | None = None
    debugging: Decision = Decision()
    """What admission decided about the ephemeral containers, which come later; what it refuses stays out of the Pod."""
    admission: AdmissionExplanation | None = None

    def refusals_of(self, container: Path) -> tuple[Violation, ...]:
        """Why the ephemeral container at this place of the document does not come into the Pod."""
        return tuple(refused for refused in self.debugging.violations if refused.path.startswith(container))

    def without_refused(self) -> PodToExplain:
        """The same with those ephemeral containers alone that are let in."""
        if not self.debugging.refused:
            return self
        spec = self.pod.spec
        places = self.place.pod / "spec" / "ephemeralContainers"
        kept = tuple(c for n, c in enumerate(spec.ephemeral_containers or ()) if not self.refusals_of(places / n))
        pod = structs.replace(self.pod, spec=structs.replace(spec, ephemeral_containers=kept))
        return structs.replace(self, pod=pod)
