"""Which images of a node go because nobody uses them, and its disk is full or they are old.

Specification (kubelet, pkg/kubelet/images image_gc_manager.go, in our words): images that no container uses, running or
dead, and that are not pinned go in the order in which they were last used, those never seen in use first, and of equal
ones the one that was seen first. With a greatest age everything goes that was not used for longer, once the node has
run for longer than that. Where the used part of the images' file system, in whole percent rounded up, has come to the
high threshold, images go until as much is free as the low threshold says, but none that came less than the least age
ago.

Moments are seconds of one clock, whichever that is.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping

from msgspec import Struct

from podward.api.cri_status import Image

_UNITS = (("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40))


class Thresholds(Struct, frozen=True):
    """When images go: percent of the disk, and seconds; a greatest age of 0 is none."""

    high: int = 85
    low: int = 80
    least_age: float = 120.0
    greatest_age: float = 0.0

    @property
    def never(self) -> bool:
        """Whether no image ever goes."""
        return self.high == 100 and not self.greatest_age


class Known(Struct, frozen=True):
    """An image that is here: since when it was seen, and when it was last seen in use."""

    id: str
    size: int
    pinned: bool
    since: float
    used: float = -math.inf


class Shortage(Struct, frozen=True):
    """The disk is too full: by how many percent it is used, and how many bytes are to become free."""

    percent: int
    capacity: int
    missing: int

    def told(self, freed: int) -> str:
        """That less has become free."""
        used = f"{self.percent}% of {_size(self.capacity)} used"
        return (
            f"Insufficient free disk space on the node's image filesystem ({used})."
            f" Failed to free sufficient space by deleting unused images (freed {freed} bytes)."
            " Investigate disk usage, as it could be used by active images, logs, volumes, or other data."
        )


def known(before: Mapping[str, Known], images: Iterable[Image], used: Collection[str], now: float) -> dict[str, Known]:
    """What is known of the images that are here now, by their ids; `used` are the ids of those in use."""
    found = {}
    for image in images:
        old = before.get(image.id)
        since, last = (old.since, old.used) if old is not None else (now, -math.inf)
        found[image.id] = Known(image.id, image.size, image.pinned, since, now if image.id in used else last)
    return found


def unused(images: Mapping[str, Known], used: Collection[str]) -> list[Known]:
    """The images that may go, in the order in which they do."""
    free = (image for image in images.values() if image.id not in used and not image.pinned)
    return sorted(free, key=lambda image: (image.used, image.since))


def too_old(thresholds: Thresholds, images: Iterable[Known], now: float, began: float) -> list[Known]:
    """Those that go for their age; `began` is when the node did."""
    most = thresholds.greatest_age
    if not most or now - began <= most:
        return []
    return [image for image in images if now - image.used > most]


def shortage(thresholds: Thresholds, capacity: int, available: int) -> Shortage | None:
    """What the disk lacks; None where there is room. Its capacity is not 0."""
    free = min(available, capacity)
    percent = 100 - free * 100 // capacity
    if percent < thresholds.high:
        return None
    return Shortage(percent, capacity, capacity * (100 - thresholds.low) // 100 - free)


def old_enough(thresholds: Thresholds, images: Iterable[Known], now: float) -> list[Known]:
    """Those that may go for the room that they take."""
    return [image for image in images if now - image.since >= thresholds.least_age]


def _size(count: int) -> str:
    unit, value = "B", 1
    for larger, least in _UNITS:
        if count >= least:
            unit, value = larger, least
    return f"{count} B" if value == 1 else f"{count / value:.1f} {unit}"
