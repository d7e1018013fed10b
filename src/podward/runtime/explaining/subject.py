"""The Pod that is to be explained, or run: as it is stored, and what was decided on the way there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from podward.api.referenced_objects import NO_OBJECTS
from podward.decision import Decision

if TYPE_CHECKING:
    from podward.api.core import Pod
    from podward.api.cri import IDMapping
    from podward.api.effective import Place
    from podward.api.explanation import AdmissionExplanation
    from podward.api.referenced_objects import ReferencedObjects


class PodToExplain(Struct, frozen=True):
    """A Pod to explain or to run: as the API server would store it, and what was decided on the way there.

    `objects` are those that it may refer to.
    `userns` is the range of a Pod that runs already; another Pod gets the one that would be next. `admitted` is what
    the API server's admission decided, its places in the document, and `admission` how it came to that; None where
    nobody asked it.
    """

    pod: Pod
    place: Place
    hostname: str
    kind: str
    name: str
    defaults: Decision
    objects: ReferencedObjects = NO_OBJECTS
    userns: IDMapping | None = None
    admitted: Decision | None = None
    admission: AdmissionExplanation | None = None
