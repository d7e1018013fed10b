"""When a node removes images that nobody uses: the kubelet's flags, and one for what is in its configuration alone."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from podward.errors import UsageError

if TYPE_CHECKING:
    from podward.policy.kubelet.image_collection import Thresholds

HIGH = "--image-gc-high-threshold"
_LOW = "--image-gc-low-threshold"
_LEAST, _GREATEST = "--minimum-image-ttl-duration", "--image-maximum-gc-age"
_ALL = 100


def add(parser: argparse.ArgumentParser) -> None:
    """Add them."""
    option = parser.add_argument
    option(
        HIGH,
        type=_percent,
        default=85,
        metavar="PERCENT",
        help="images that nobody uses go where the disk is used by so much; 100: never (%(default)s)",
    )
    option(_LOW, type=_percent, default=80, metavar="PERCENT", help="until it is used by no more (%(default)s)")
    option(_LEAST, type=_duration, default=120.0, metavar="TIME", help="they stay so long after they came (2m)")
    option(_GREATEST, type=_duration, default=0.0, metavar="TIME", help="they go so long after their last use (never)")


def thresholds(args: argparse.Namespace) -> Thresholds:
    """What they say. Raises UsageError where one contradicts another."""
    from podward.policy.kubelet.image_collection import Thresholds

    found = Thresholds(
        args.image_gc_high_threshold,
        args.image_gc_low_threshold,
        args.minimum_image_ttl_duration,
        args.image_maximum_gc_age,
    )
    if found.low >= found.high:
        raise UsageError(
            f"it must be less than the high threshold, {found.high}",
            where=f"{_LOW} {found.low}",
            advice=f"give a lower one, or a higher {HIGH}",
        )
    if 0 < found.greatest_age <= found.least_age:
        raise UsageError(
            "images would go before they may: it must be more than the least age",
            where=_GREATEST,
            advice=f"give a longer time, or a shorter {_LEAST}",
        )
    return found


def _percent(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text[:4]) > _ALL:
        raise argparse.ArgumentTypeError(f"between 0 and {_ALL}, inclusive, not {text!r}")
    return int(text)


def _duration(text: str) -> float:
    from podward.api.go_duration import seconds_of

    seconds = seconds_of(text)
    if seconds is None or seconds < 0:
        raise argparse.ArgumentTypeError(f"this is no time such as 2m or 168h: {text!r}")
    return seconds
