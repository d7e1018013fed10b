"""The masked and read-only paths of /proc and /sys, which procMount decides.

Specification (kubelet, `ConvertToRuntimeMaskedPaths` and its twin, in our words): exactly `Unmasked` empties both
lists; any other value, or none, gives the default lists. The kubelet does the same for a privileged container; the
runtime then removes the masks.
"""

from __future__ import annotations

from podward.api.core import SecurityContext
from podward.api.version import KUBERNETES
from podward.decision import Decision, Origin, Source, assign, merge
from podward.path import path

MASKED = (
    "/proc/asound",
    "/proc/acpi",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
)
READONLY = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
MASKED_PLACE = path("maskedPaths")
READONLY_PLACE = path("readonlyPaths")
DEFAULTS = Source(Origin.DEFAULT, f"kubelet {KUBERNETES} masked and read-only paths")


def decide(merged: SecurityContext, origin: Decision) -> Decision:
    """`maskedPaths` and `readonlyPaths`; `origin` is the Decision that made `merged`."""
    if merged.proc_mount == "Unmasked":
        found = origin.assignment(path("securityContext", "procMount"))
        source, why = (found.source if found else DEFAULTS), "procMount is Unmasked"
        return merge(assign(MASKED_PLACE, (), why, source), assign(READONLY_PLACE, (), why, source))
    why = "procMount is not Unmasked: the default list"
    return merge(assign(MASKED_PLACE, MASKED, why, DEFAULTS), assign(READONLY_PLACE, READONLY, why, DEFAULTS))
