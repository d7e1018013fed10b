"""The audit log that the flags ask for."""

from __future__ import annotations

import os

from msgspec import Struct

from podward.access.audit import reading
from podward.errors import InputError, UsageError
from podward.server.audit.files import STDOUT, Keeping
from podward.server.audit.log import BLOCKING, AuditLog
from podward.server.audit.recording import Auditor


class Options(Struct, frozen=True):
    """`--audit-policy-file` and `--audit-log-…`."""

    policy_file: str = ""
    path: str = ""
    mode: str = BLOCKING
    keeping: Keeping = Keeping()


def open_auditor(options: Options) -> Auditor | None:
    """Whoever writes the log; None where none is wanted. Raises UsageError, InputError."""
    if not options.policy_file and not options.path:
        return None
    if not options.policy_file:
        raise UsageError(
            "without a policy nothing is noted in the audit log", where="--audit-log-path",
            advice="name one with --audit-policy-file",
        )  # fmt: skip
    if not options.path:
        raise UsageError(
            "there is no audit log that this policy is for", where="--audit-policy-file",
            advice="name it with --audit-log-path; `-` is the standard output",
        )  # fmt: skip
    try:
        with open(options.policy_file, "rb") as file:
            text = file.read()
    except OSError as error:
        raise InputError(
            f"cannot be read: {error.strerror}", where=options.policy_file, advice="name a file that is there"
        ) from None
    policy = reading.read(text, options.policy_file)
    path = options.path if options.path == STDOUT else os.path.abspath(options.path)
    return Auditor(policy, AuditLog(path, options.mode, options.keeping))
