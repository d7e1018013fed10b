"""The defaults of Docker 29 behind cri-dockerd 0.3.

Source: moby/moby release 29, `daemon/pkg/oci/defaults.go` and `daemon/pkg/oci/caps/defaults.go` (the default spec),
`daemon/oci_linux.go`; Mirantis/cri-dockerd 0.3 `core/security_context.go`, `core/helpers_linux.go`.
"""

from __future__ import annotations

from podward.api.oci import DeviceRule, Mount
from podward.decision import Origin, Source
from podward.policy.runtime.defaults import table


def _device(major: int, minor: int, *, allow: bool = True) -> DeviceRule:
    return DeviceRule(allow=allow, type="c", major=major, minor=minor, access="rwm")


DEFAULTS = table.Defaults(
    name="docker",
    source=Source(Origin.DEFAULT, "Docker 29"),
    capabilities=(
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_FSETID",
        "CAP_FOWNER",
        "CAP_MKNOD",
        "CAP_NET_RAW",
        "CAP_SETGID",
        "CAP_SETUID",
        "CAP_SETFCAP",
        "CAP_SETPCAP",
        "CAP_NET_BIND_SERVICE",
        "CAP_SYS_CHROOT",
        "CAP_KILL",
        "CAP_AUDIT_WRITE",
    ),
    mounts=(
        table.PROC,
        table.DEV,
        table.PTS,
        table.SYS,
        Mount("/sys/fs/cgroup", "cgroup", "cgroup", ("ro", "nosuid", "noexec", "nodev")),
        table.MQUEUE,
        # Docker's own size of 64 MiB, in bytes.
        Mount("/dev/shm", "tmpfs", "shm", ("nosuid", "noexec", "nodev", "mode=1777", "size=67108864")),  # noqa: S108  # a path in the container
    ),
    device_rules=(
        table.DENY_ALL,
        _device(1, 5),  # zero
        _device(1, 3),  # null
        _device(1, 9),  # urandom
        _device(1, 8),  # random
        _device(5, 0),  # tty
        _device(5, 1),  # console
        _device(10, 229, allow=False),  # fuse
    ),
    namespaces=("mount", "network", "uts", "pid", "ipc"),
    environment=(table.PATH,),
    apparmor_profile="docker-default",
)
