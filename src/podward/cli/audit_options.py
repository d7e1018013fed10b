"""The options of an API server's audit log, with kube-apiserver's own names and defaults."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from podward.cli.go_flags import count

if TYPE_CHECKING:
    from podward.server.audit.opening import Options

_MODES = ("batch", "blocking", "blocking-strict")


def add_audit_options(parser: argparse.ArgumentParser) -> None:
    """Add them to a command."""
    add = parser.add_argument
    add("--audit-policy-file", default="", metavar="FILE", help="which requests are noted in the audit log, and how")
    add("--audit-log-path", default="", metavar="FILE", help="the audit log; - is the standard output")
    add(
        "--audit-log-mode",
        default="blocking",
        choices=_MODES,
        metavar="MODE",
        help="batch: nobody waits for it; blocking: answers do; blocking-strict: what cannot be noted fails"
        " (%(default)s)",
    )
    add("--audit-log-format", default="json", choices=("json",), metavar="FORMAT", help="json")
    for name, default, what in (
        ("maxsize", 100, "megabytes after which the file is put aside"),
        ("maxbackup", 100, "files that are kept"),
        ("maxage", 366, "days that they are kept"),
    ):
        add(
            f"--audit-log-{name}",
            type=count,
            default=default,
            metavar="N",
            help=f"{what}; 0: no limit (%(default)s)",
        )
    add("--audit-log-compress", action="store_true", help="compress the files that were put aside")


def audit_options(args: argparse.Namespace) -> Options:
    """What they say."""
    from podward.server.audit.files import Keeping
    from podward.server.audit.opening import Options

    keeping = Keeping(args.audit_log_maxsize, args.audit_log_maxage, args.audit_log_maxbackup, args.audit_log_compress)
    return Options(args.audit_policy_file, args.audit_log_path, args.audit_log_mode, keeping)
