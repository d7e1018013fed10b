"""The defaults of containerd 2.2, with the default configuration of its CRI plugin.

Source: containerd/containerd release 2.2, `pkg/oci/spec.go` and `mounts.go` (the default spec),
`internal/cri/server/container_create.go` (the CRI plugin removes the mount at /run, the rlimits, and the default
seccomp and AppArmor profiles from it).
"""

from __future__ import annotations

from podward.decision import Origin, Source
from podward.policy.runtime.defaults import table

DEFAULTS = table.Defaults(
    name="containerd",
    source=Source(Origin.DEFAULT, "containerd 2.2"),
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
    mounts=(table.PROC, table.DEV, table.PTS, table.SHM, table.MQUEUE, table.SYS, table.CGROUP),
    device_rules=(table.DENY_ALL,),
    namespaces=("pid", "ipc", "uts", "mount", "network"),
    environment=(table.PATH,),
    apparmor_profile="cri-containerd.apparmor.d",
)
