"""The values of Decisions as short texts. Equal values have the same text at every stage."""

from __future__ import annotations

import msgspec
from msgspec import Struct

from podward.api.capability import NAMES, mask, names
from podward.api.core import SELinuxOptions
from podward.api.cri import KeyValue, SecurityProfile, SELinuxOption, UserNamespace
from podward.api.cri import Mount as CRIMount
from podward.api.oci import Device, LinuxIDMapping, Mount, Namespace, Rlimit, Seccomp
from podward.api.process import MountState
from podward.decision import Value
from podward.policy.kubelet.volume_files import VolumeFile

ALL_IDS = 4294967295
UNKNOWN = "unknown"
"""A value that nobody knows; why, and how to know it, is told once for all of them."""
_LONG = 24
_FLAGS = ("ro", "rro", "nosuid", "nodev", "noexec")


def plain(value: Value) -> str:
    """A scalar, a list of scalars, or an object in JSON."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return value or "none"
    if isinstance(value, list | tuple):
        return " ".join(plain(item) for item in value) or "none"
    if isinstance(value, dict | Struct):
        return msgspec.json.encode(value).decode()
    return str(value)


def brief(name: str, text: str) -> str:
    """A short form of a long text: the number of its items."""
    if len(text) <= _LONG:
        return text
    if name.startswith("caps "):
        return f"{text.partition(':')[0]} of {len(NAMES)}"
    if name in ("masked paths", "read-only paths", "mounts", "devices", "open devices"):
        return f"{len(text.split(' '))} {'paths' if 'paths' in name else name.removeprefix('open ')}"
    return text


def ids(value: Value) -> str:
    """An id, or the four ids of a process: real, effective, saved, file system."""
    if isinstance(value, tuple) and len(value) == 4:
        real, effective = value[0], value[1]
        return str(real) if len(set(value)) == 1 else f"{real}, effective {effective}"
    return plain(value)


def capabilities(value: Value) -> str:
    """A capability set (a mask or names): the number of capabilities, and their names."""
    bits = value if isinstance(value, int) else mask(item for item in value if isinstance(item, str))  # type: ignore[union-attr]
    listed = names(bits)
    if not listed:
        return "none"
    if len(listed) == len(NAMES):
        return f"all {len(NAMES)}"
    missing = [name for name in NAMES if name not in listed]
    if len(missing) < 8:
        return f"{len(listed)}: all but {_short(missing)}"
    return f"{len(listed)}: {_short(listed)}"


def requested(value: Value) -> str:
    """Capabilities as the manifest adds and drops them: `+NET_ADMIN -ALL`."""
    if isinstance(value, dict):
        return " ".join((added(value.get("add") or ()), dropped(value.get("drop") or ()))).strip() or "none"
    add = getattr(value, "add", None) or ()
    drop = getattr(value, "drop", None) or ()
    return " ".join((*(f"+{name}" for name in add), *(f"-{name}" for name in drop))) or "none"


def added(value: Value) -> str:
    """Capabilities that are added."""
    return " ".join(f"+{plain(name)}" for name in value) if isinstance(value, list | tuple) else plain(value)


def dropped(value: Value) -> str:
    """Capabilities that are dropped."""
    return " ".join(f"-{plain(name)}" for name in value) if isinstance(value, list | tuple) else plain(value)


def escalation(value: Value) -> str:
    """The field allowPrivilegeEscalation as no_new_privs, which is its opposite."""
    return "yes" if value is False else "no"


def level(value: Value) -> str:
    """An SELinux level alone, as a label."""
    return f"_:_:_:{plain(value)}"


def seccomp(value: Value) -> str:
    """A profile's name, the filter that it became, or the mode that the kernel reports."""
    if isinstance(value, SecurityProfile):
        if value.profile_type == "Unconfined":
            return "none"
        return f"{value.profile_type} {value.localhost_ref}".strip()
    if isinstance(value, Seccomp):
        calls = {name for rule in value.syscalls for name in rule.names}
        action = value.default_action.removeprefix("SCMP_ACT_").lower()
        return f"filter of {len(calls)} calls, else {action}"
    if isinstance(value, int):
        return {0: "none", 1: "strict", 2: "filter"}.get(value, str(value))
    return "none"


def profile(value: Value) -> str:
    """An AppArmor profile."""
    if isinstance(value, SecurityProfile):
        return f"{value.profile_type} {value.localhost_ref}".strip()
    if isinstance(value, dict):
        return f"{plain(value.get('type'))} {value.get('localhostProfile') or ''}".strip()
    return plain(value)


def label(value: Value) -> str:
    """SELinux options as a label; `_` stands for a part that the runtime fills in."""
    if isinstance(value, SELinuxOptions | SELinuxOption):
        return ":".join(part or "_" for part in (value.user, value.role, value.type, value.level))
    if isinstance(value, dict):
        return ":".join(plain(value.get(part) or "_") for part in ("user", "role", "type", "level"))
    return plain(value)


def unenforced(value: Value) -> str:
    """A label that this kernel cannot enforce."""
    return f"{plain(value)} (not enforced)"


def id_map(value: Value) -> str:
    """Id maps as lines of /proc/PID/uid_map: inside, outside, length."""
    if isinstance(value, UserNamespace):
        return id_map(value.uids) if value.mode == "POD" else "the host's"
    if isinstance(value, LinuxIDMapping):
        return f"{value.container_id} {value.host_id} {value.size}"
    if isinstance(value, tuple):
        lines = [_map_line(item) for item in value]
        return "the host's" if lines == [f"0 0 {ALL_IDS}"] else ", ".join(lines)
    return plain(value)


def namespace(value: Value) -> str:
    """A namespace of the runtime spec."""
    return value.type if isinstance(value, Namespace) else plain(value)


def shared(value: Value) -> str:
    """The namespaces that are shared with the host."""
    return f"the host's {plain(value)}" if value else "all its own"


def rlimit(value: Value) -> str:
    """A limit as soft:hard."""
    return f"{value.type}={value.soft}:{value.hard}" if isinstance(value, Rlimit) else plain(value)


def device(value: Value) -> str:
    """Device nodes by path."""
    if isinstance(value, tuple):
        return " ".join(device(item) for item in value) or "none"
    return value.path if isinstance(value, Device) else plain(value)


def mount(value: Value) -> str:
    """A mount's destination and flags: `/data(ro,nosuid)`."""
    flags = mount_flags(value)
    return f"{destination(value)}({flags})" if flags != "rw" else destination(value)


def mount_flags(value: Value) -> str:
    """A mount's flags; `rw` if it has none."""
    found: list[str] = []
    if isinstance(value, MountState):
        found = [flag for flag in ("nosuid", "nodev", "noexec") if getattr(value, flag)]
        found = ["ro", *found] if value.readonly else found
    elif isinstance(value, Mount):
        found = [option for option in _FLAGS if option in value.options]
    elif isinstance(value, CRIMount):
        read_only = "rro" if value.recursive_read_only else "ro"
        found = [read_only] if value.readonly else []
    return ",".join(found) or "rw"


def variable(value: Value) -> str:
    """The value of a variable, in a CRI message or as `NAME=VALUE`."""
    return value.value if isinstance(value, KeyValue) else str(value).partition("=")[2]


def volume_file(file: VolumeFile) -> str:
    """A file that is made in a volume: its mode, and its owner where that is not root; others may have the same."""
    return f"{file.mode:04o}" if file.uid is None else f"{file.mode:04o} of {file.uid}"


def destination(value: Value) -> str:
    """A mount's path in the container; empty for any other value."""
    if isinstance(value, CRIMount):
        return value.container_path
    return value.destination if isinstance(value, Mount | MountState) else ""


def _map_line(item: Value) -> str:
    if isinstance(item, tuple):
        return " ".join(str(number) for number in item)
    return f"{getattr(item, 'container_id', 0)} {getattr(item, 'host_id', 0)} {getattr(item, 'length', 0)}"


def _short(listed: list[str] | tuple[str, ...]) -> str:
    return " ".join(name.removeprefix("CAP_").lower() for name in listed)
