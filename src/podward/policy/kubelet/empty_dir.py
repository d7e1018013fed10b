"""How an emptyDir volume is made: a directory, or a tmpfs and its size.

Specification (kubelet, pkg/volume/emptydir, in our words):
- Medium empty: a directory of mode 0777, whatever the umask, below the Pod's own. `sizeLimit` is no quota there: the
  kubelet measures now and then and evicts the Pod. Podward does not, and says so.
- Medium `Memory`: a tmpfs over such a directory. Its size is the node's allocatable memory (Podward reserves none of
  the machine's), or the Pod's memory limit, or `sizeLimit`, whichever is the smallest of those given; `noswap` where
  the kernel has it. No mode is given, so the root of the tmpfs has the kernel's 1777.
- Medium `HugePages…`: needs huge pages requested from a node that has them; refused here.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.effective import Place
from podward.api.quantity import QuantityError, parse
from podward.api.version import KUBERNETES
from podward.api.volume import EmptyDir
from podward.decision import Decision, Origin, Source, assign, merge, refuse
from podward.path import Path, path

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} emptyDir")
MODE = 0o777
"""Of the directory; the same whether or not there is an fsGroup, which adds to it."""
UNENFORCED = "sizeLimit is not enforced on disk: a kubelet would measure and evict, Podward does neither"
NO_SIZE = "SizeLimit field must be a valid resource quantity"
NO_HUGE_PAGES = "huge pages are not supported by this node: use medium Memory, or leave the medium out"


class EmptyDirectory(Struct, frozen=True, gc=False):
    """`medium` is "" (disk) or Memory; `size` the tmpfs' bytes, 0 for the kernel's default (half of memory)."""

    medium: str = ""
    size: int = 0


def decide(volume: EmptyDir, memory: int, pod_limit: int, where: Path, place: Place) -> Decision:
    """How to make it; `memory` is the machine's in bytes, `pod_limit` the Pod's (0: none), `where` the field."""
    medium = volume.medium or ""
    limit = 0
    if volume.size_limit is not None:
        try:
            amount = parse(str(volume.size_limit))
        except QuantityError as error:
            return refuse(where / "sizeLimit", volume.size_limit, str(error), RULE)
        if amount.units < 0:
            return refuse(where / "sizeLimit", volume.size_limit, NO_SIZE, RULE)
        limit = amount.value
    if medium.startswith("HugePages"):
        return refuse(where / "medium", medium, NO_HUGE_PAGES, RULE)
    if medium not in {"", "Memory"}:
        return refuse(where / "medium", medium, f'unknown storage medium "{medium}"', RULE)
    cited = Source(Origin.MANIFEST, place.document, where)
    decision = assign(path("medium"), medium, "emptyDir.medium", cited)
    if not medium:
        return decision if not limit else decision + assign(path("sizeLimit"), limit, UNENFORCED, RULE)
    return merge(decision, _size(memory, pod_limit, limit, Source(cited.origin, cited.name, where / "sizeLimit")))


def _size(memory: int, pod_limit: int, limit: int, cited: Source) -> Decision:
    size, reason, source = memory, "the node's memory", RULE
    for number, why, whose in ((pod_limit, "the Pod's memory limit", RULE), (limit, "sizeLimit", cited)):
        if number and (number <= size or not size):
            size, reason, source = number, why, whose
    return assign(path("size"), size, reason, source)
