"""The options that limit what an API server does at a time, and keeps, with kube-apiserver's own names and defaults."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from podward.cli.go_flags import boolean, count, duration

if TYPE_CHECKING:
    from podward.server.fairness import Limits


def add_limit_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a command."""
    add = parser.add_argument
    add(
        "--max-requests-inflight",
        type=count,
        default=400,
        metavar="N",
        help="requests that read at the same time (%(default)s)",
    )
    add(
        "--max-mutating-requests-inflight",
        type=count,
        default=200,
        metavar="N",
        help="requests that write at the same time (%(default)s)",
    )
    add(
        "--enable-priority-and-fairness",
        type=boolean,
        default="true",
        metavar="BOOL",
        help="let more requests wait, and serve each user in turn; otherwise they are refused (%(default)s)",
    )
    add(
        "--event-ttl",
        type=duration,
        default="1h0m0s",
        metavar="TIME",
        help="how long Events are kept after they were last written (%(default)s)",
    )


def limits(args: argparse.Namespace) -> Limits:
    """What they say of requests. Raises UsageError."""
    from podward.errors import UsageError
    from podward.server.fairness import Limits

    reading, writing = args.max_requests_inflight, args.max_mutating_requests_inflight
    if args.enable_priority_and_fairness and not (reading and writing):
        raise UsageError(
            "without any seats nobody can be served in turn",
            where="--max-requests-inflight, --max-mutating-requests-inflight",
            advice="give numbers above 0, or --enable-priority-and-fairness=false, where 0 is no limit",
        )
    return Limits(reading, writing, args.enable_priority_and_fairness)
