"""containerd 2.2, its CRI plugin with the default configuration.

Source: containerd/containerd release 2.2, `pkg/oci/spec.go` and `mounts.go` (the default spec),
`internal/cri/server/container_create.go` (what the CRI plugin takes out of it: the mount at /run, the rlimits, the
default seccomp and AppArmor profiles).
"""

from __future__ import annotations

from podward.decision import Origin, Source
from podward.policy.runtime.defaults import common
from podward.policy.runtime.defaults.table import PATH, Defaults

DEFAULTS = Defaults(
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
    mounts=(common.PROC, common.DEV, common.PTS, common.SHM, common.MQUEUE, common.SYS, common.CGROUP),
    device_rules=(common.DENY_ALL,),
    namespaces=("pid", "ipc", "uts", "mount", "network"),
    environment=(PATH,),
    apparmor_profile="cri-containerd.apparmor.d",
)
