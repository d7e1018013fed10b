"""Reading the node's own seccomp profiles, which Localhost names."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from podward.api.cri import SecurityProfile
from podward.errors import InputError

if TYPE_CHECKING:
    from podward.policy.runtime.seccomp_table import Profile

LARGEST = 1 << 20
"""Bytes; the defaults of runtimes have 20 KiB."""


def localhost(profile: SecurityProfile | None, root: str) -> Profile | None:
    """The parsed profile that a Localhost reference names; None for other types, and where the file is not there.

    The file must lie below the node's seccomp directory `root`, symbolic links resolved. Raises InputError where it
    does not, or is no profile.
    """
    if profile is None or profile.profile_type != "Localhost":
        return None
    file = profile.localhost_ref
    real, base = os.path.realpath(file), os.path.realpath(root).rstrip("/")
    if not real.startswith(f"{base}/"):
        raise InputError("a Localhost seccomp profile must lie below the node's seccomp directory", where=file)
    try:
        descriptor = os.open(real, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputError(f"cannot read the seccomp profile: {error.strerror}", where=file) from error
    with open(descriptor, "rb") as opened:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InputError("a seccomp profile must be a regular file", where=file)
        content = opened.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InputError("larger than any seccomp profile (1 MiB)", where=file)
    from podward.policy.runtime import seccomp_profile

    return seccomp_profile.parse(content, file)
