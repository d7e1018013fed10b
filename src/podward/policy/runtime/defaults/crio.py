"""The defaults of CRI-O 1.33 with its default configuration.

Source: cri-o/cri-o release 1.33, `internal/config/capabilities/capabilities_linux.go` (nine capabilities),
`server/container_create*.go`, `server/masked_paths.go` (its own masked paths, added to the kubelet's);
containers/common 0.62 `pkg/config/default.go` (masked paths); opencontainers/runtime-tools `generate/generate.go` (the
default spec). Upstream sets no ulimits and no pids limit.
"""

from __future__ import annotations

from podward.decision import Origin, Source
from podward.policy.runtime.defaults import table

DEFAULTS = table.Defaults(
    name="cri-o",
    source=Source(Origin.DEFAULT, "CRI-O 1.33"),
    capabilities=(
        "CAP_CHOWN",
        "CAP_DAC_OVERRIDE",
        "CAP_FSETID",
        "CAP_FOWNER",
        "CAP_SETGID",
        "CAP_SETUID",
        "CAP_SETPCAP",
        "CAP_NET_BIND_SERVICE",
        "CAP_KILL",
    ),
    mounts=(table.PROC, table.DEV, table.PTS, table.SHM, table.MQUEUE, table.SYS, table.CGROUP),
    device_rules=(table.DENY_ALL,),
    namespaces=("pid", "network", "ipc", "uts", "mount"),
    environment=(table.PATH, "TERM=xterm"),
    apparmor_profile="crio-default",
    masked_paths=(
        "/proc/acpi",
        "/proc/asound",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/sys/dev/block",
        "/sys/devices/virtual/powercap",
        "/sys/firmware",
        "/sys/fs/selinux",
    ),
)
