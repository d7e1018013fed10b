"""The options by which `run`, `explain` and `diff` describe the node, in the kubelet's own words where it has them."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


class _Joined(argparse.Action):
    """Names that are given several times are one list, as of the kubelet's option."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[str] | None,
        option_string: str | None = None,
    ) -> None:
        """Add the names to those before."""
        del parser, option_string
        before: str = getattr(namespace, self.dest)
        setattr(namespace, self.dest, f"{before},{values}" if before else values)


def add(parser: argparse.ArgumentParser, *runtimes: str) -> None:
    """Add them; `runtimes` are the OCI runtimes that the command can use."""
    option = parser.add_argument
    option(
        "--runtime",
        choices=("auto", *runtimes),
        default="auto",
        help="the OCI runtime (default: crun or runc, whichever works here)",
    )
    option(
        "--allowed-unsafe-sysctls",
        action=_Joined,
        default="",
        metavar="NAMES",
        help="sysctls that this node allows beyond the safe ones: name or prefix*, separated by commas; repeatable",
    )
    option("--seccomp-default", action="store_true", help="as the kubelet's seccompDefault: unset means RuntimeDefault")
    option(
        "--seccomp-root",
        default="/var/lib/kubelet/seccomp",
        metavar="DIR",
        help="where Localhost seccomp profiles lie (default: /var/lib/kubelet/seccomp, as a kubelet's)",
    )


def add_runtime_defaults(parser: argparse.ArgumentParser) -> None:
    """Add the choice of one runtime's defaults."""
    parser.add_argument(
        "--runtime-defaults",
        choices=("containerd", "cri-o", "docker"),
        default="containerd",
        help="whose defaults to imitate (default: containerd)",
    )
