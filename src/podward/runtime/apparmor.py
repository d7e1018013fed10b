"""AppArmor on this machine: whether containers can have it, which profiles are loaded, and loading the default one.

Specification (containerd 2.2 `apparmor.HostSupports` and `LoadDefaultProfile`, in our words): the kernel enforces it,
its file system is in sight, and apparmor_parser is there; else containers have no profile. In a container of another
engine the file system is out of sight. Who may load no profile, such as a user, has AppArmor where the default profile
is loaded already. Everybody may read the names of profiles, but the file that lists them is root's.
"""

from __future__ import annotations

import contextlib
import os

from podward.errors import NodeError, RefusedError
from podward.policy.runtime import apparmor_default
from podward.runtime import processes

ENABLED = "/sys/module/apparmor/parameters/enabled"
HOME = "/sys/kernel/security/apparmor"
"""Where the kernel shows its policy; it has this directory where securityfs is mounted, and only there."""
CONFIGURATION = "/etc/apparmor.d"
PARSERS = ("/sbin/apparmor_parser", "/usr/sbin/apparmor_parser")
_LARGEST = 1 << 20


def usable(default: str, *, may_load: bool, home: str = HOME) -> bool:
    """Whether containers can be given profiles where the kernel enforces them; `default` is what most are given."""
    if not os.path.isdir(home):
        return False
    return bool(may_load and parser()) or default in loaded(home)


def parser() -> str:
    """The program that loads profiles; empty where it is not installed."""
    return next((place for place in PARSERS if os.access(place, os.X_OK)), "")


def loaded(home: str = HOME) -> frozenset[str]:
    """The names of the profiles that the kernel has."""
    try:
        with open(f"{home}/profiles", encoding="utf-8", errors="surrogateescape") as file:
            return frozenset(line.rpartition(" (")[0] for line in file)
    except OSError:
        return frozenset(_names(f"{home}/policy/profiles"))


def ensure(profile: str, home: str = HOME) -> None:
    """Have this profile loaded: a default one of ours we load. Raises RefusedError where another one is not."""
    if not profile or profile == "unconfined" or profile in loaded(home):
        return
    if profile not in apparmor_default.PROFILES:
        raise RefusedError(f"apparmor profile not found {profile}", advice="load it with `apparmor_parser -r FILE`")
    _load(profile)


def _names(directory: str) -> list[str]:
    found = []
    for here, _, files in os.walk(directory):
        if "name" in files:
            with open(f"{here}/name", encoding="utf-8", errors="surrogateescape") as file:
                found.append(file.read().strip())
    return found


def _load(profile: str) -> None:
    abi = os.path.exists(f"{CONFIGURATION}/{apparmor_default.ABI}")
    given, said = os.memfd_create("profile"), os.memfd_create("said")
    try:
        os.write(given, apparmor_default.text(profile, _own_label(), abi=abi).encode())
        os.lseek(given, 0, os.SEEK_SET)
        code = processes.run(
            parser() or PARSERS[0], ("--replace", "--skip-cache"), stdin=given, stdout=said, stderr=said
        )
        if code:
            text = os.pread(said, _LARGEST, 0).decode("utf-8", "replace").strip()
            raise NodeError(f"cannot load the AppArmor profile {profile}: {text}", where=parser())
    finally:
        os.close(given)
        os.close(said)


def _own_label() -> str | None:
    """The profile that this process has, without its mode."""
    with contextlib.suppress(OSError), open("/proc/self/attr/current", encoding="utf-8", errors="replace") as file:
        return file.read().strip("\n\0").partition(" (")[0] or None
    return None  # EINVAL: no module answers
