"""Every error that Podward raises, in one tree.

Refusals of a Pod are values (`podward.decision.Violation`), not exceptions. Exceptions are for bad input and failed
I/O; each says what is wrong, where, and what to do about it.
"""

from __future__ import annotations


class PodwardError(Exception):
    """The root: `what` is wrong, `where` (file:line, field, image), and `advice` on what to do.

    `exit_code` is the command line's answer: 1 refused or failed, 2 bad usage or bad input.
    """

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", advice: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.advice = advice

    def __str__(self) -> str:
        where = self.where.replace("\n", "\\n")  # of a file's name: what follows it must not look like a line of ours
        located = f"{where}: {self.what}" if where else self.what
        return f"{located}\n  {self.advice}" if self.advice else located


class UsageError(PodwardError):
    """The command line's words are off."""

    exit_code = 2


class InputError(PodwardError):
    """A document is not what it must be: syntax, size, type, unknown or duplicate field."""

    exit_code = 2


class LimitError(InputError):
    """A document, or a file, is more than is accepted: too large, too deep, too many, or growing too much."""


class OtherDocumentError(InputError):
    """A document is something else than an object of Kubernetes: a configuration of another tool, values of a chart."""


class TemplateError(InputError):
    """A file is a template of Helm: what it comes to only `helm template` knows."""


class ImageError(PodwardError):
    """An image is missing, corrupt or hostile."""

    exit_code = 2


class RegistryError(ImageError):
    """A registry can't be asked for an image, does not let us in, or fails; at another time it may have the image."""


class RefusedError(PodwardError):
    """A Pod, or a container of it, was refused: carries a Violation's sentence to the command line."""


class NodeError(PodwardError):
    """The machine cannot do it: a tool, a kernel feature or a privilege is missing."""


class RuntimeFailedError(PodwardError):
    """The OCI runtime, or a tool beside it, failed; `what` quotes what it said."""


class StoreError(PodwardError):
    """The API server's store failed, or could not be reached. A write that raises this may have been done or not."""


class StoreFullError(StoreError):
    """The store has no room for this write: nothing was written."""


class RevisionError(PodwardError):
    """A revision was asked for that the store cannot show; `revision` is it."""

    def __init__(self, what: str, *, revision: int, advice: str = "") -> None:
        super().__init__(what, advice=advice)
        self.revision = revision


class CompactedError(RevisionError):
    """The store has forgotten this revision; `oldest` is the first that it still has, 0 where that is not known."""

    def __init__(self, revision: int, oldest: int) -> None:
        advice = "list again, and watch from the revision of that list"
        super().__init__(f"revision {revision} is compacted", revision=revision, advice=advice)
        self.oldest = oldest


class FutureRevisionError(RevisionError):
    """The store has not come to this revision; `current` is where it is."""

    def __init__(self, revision: int, current: int) -> None:
        super().__init__(f"revision {revision} is in the future: the store is at {current}", revision=revision)
        self.current = current
