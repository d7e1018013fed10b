"""How an emptyDir volume is made: a directory, or a tmpfs and its size.

Specification (kubelet, pkg/volume/emptydir, in our words):
- Empty medium: a directory below the Pod's own, with mode 0777 whatever the umask. `sizeLimit` is not a quota there:
  the kubelet measures the usage from time to time and evicts the Pod. Podward does not, and says so.
- Medium `Memory`: a tmpfs mounted over such a directory. Its size is the smallest of the node's allocatable memory
  (Podward reserves none of the machine's memory), the Pod's memory limit and `sizeLimit`, as far as they are set. The
  mount has `noswap` if the kernel supports it. The kubelet sets no mode, so the root of the tmpfs keeps mode 1777.
- Medium `HugePages…` needs a request for huge pages of a container or of the Pod, and a node that has some: here it is
  refused.
"""

from __future__ import annotations

from msgspec import Struct

from podward.api.core import PodSpec
from podward.api.effective import Place
from podward.api.quantity import QuantityError, parse
from podward.api.version import KUBERNETES
from podward.api.volume import EmptyDir
from podward.decision import Decision, Origin, Source, assign, merge, refuse
from podward.path import Path, path
from podward.policy.kubelet import resources

RULE = Source(Origin.RULE, f"kubelet {KUBERNETES} emptyDir")
MODE = 0o777
"""The directory's mode. An fsGroup adds its bits to it later."""
UNENFORCED = "sizeLimit is not enforced on disk: a kubelet would measure and evict, Podward does neither"
NO_SIZE = "SizeLimit field must be a valid resource quantity"
NO_HUGE_PAGES = "huge pages are not supported by this node: use medium Memory, or leave the medium out"


class EmptyDirectory(Struct, frozen=True, gc=False):
    """How to make the volume.

    `medium` is "" (disk) or Memory. `size` is the size of the tmpfs in bytes; 0 is the kernel's default (half of the
    memory).
    """

    medium: str = ""
    size: int = 0


def decide(volume: EmptyDir, memory: int, spec: PodSpec, where: Path, place: Place) -> Decision:
    """The fields of `EmptyDirectory`; a violation if the volume can't be made.

    `memory` is the machine's memory in bytes, `spec` the Pod's, `where` the path of the volume's `emptyDir` field.
    """
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
        return refuse(where / "medium", medium, _no_huge_pages(medium, spec), RULE)
    if medium not in {"", "Memory"}:
        return refuse(where / "medium", medium, f'unknown storage medium "{medium}"', RULE)
    cited = Source(Origin.MANIFEST, place.document, where)
    decision = assign(path("medium"), medium, "emptyDir.medium", cited)
    if not medium:
        return decision if not limit else decision + assign(path("sizeLimit"), limit, UNENFORCED, RULE)
    pod_limit = resources.pod_memory_limit(spec)
    return merge(decision, _size(memory, pod_limit, limit, Source(cited.origin, cited.name, where / "sizeLimit")))


def _no_huge_pages(medium: str, spec: PodSpec) -> str:
    asking = [spec.resources, *(each.resources for each in (*(spec.containers or ()), *(spec.init_containers or ())))]
    names = [name for each in asking if each is not None for name in each.requests or ()]
    if any(name.startswith("hugepages-") for name in names):
        return NO_HUGE_PAGES
    return f"medium {medium}: hugePages storage requested, but there is no resource request for huge pages"


def _size(memory: int, pod_limit: int, limit: int, cited: Source) -> Decision:
    size, reason, source = memory, "the node's memory", RULE
    for number, why, its_source in ((pod_limit, "the Pod's memory limit", RULE), (limit, "sizeLimit", cited)):
        if number and (number <= size or not size):
            size, reason, source = number, why, its_source
    return assign(path("size"), size, reason, source)
