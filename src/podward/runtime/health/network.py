"""Checks of what the machine does with Pods' packets: settings that are its own, and that nobody changes here."""

from __future__ import annotations

from podward.runtime.health.health_check import LIMITED, OK, HealthCheck, health_check
from podward.runtime.hostfiles import read
from podward.runtime.network import bridge

_NETWORK = "network"


def checks() -> list[HealthCheck]:
    """Checks of forwarding, and of packets within a bridge."""
    device = outward_device()
    forwards = read(f"/proc/sys/net/ipv4/conf/{device}/forwarding").strip() == "1" if device else False
    found = "no way out of this machine" if not device else f"{device} {'forwards' if forwards else 'does not'}"
    remedy = f"sysctl net.ipv4.conf.{device}.forwarding=1" if device else "give the machine a default route"
    otherwise = ("Pods do not reach addresses outside of this machine", remedy)
    passes = bridge.passes_netfilter()
    without = (
        "Pods see Service connections of their neighbours come from the bridge's address",
        "modprobe br_netfilter",
    )
    return [
        health_check((_NETWORK, "forwarding"), OK if forwards else LIMITED, found, otherwise),
        health_check((_NETWORK, "br_netfilter"), OK if passes else LIMITED, "" if passes else "not loaded", without),
    ]


def outward_device() -> str:
    """The device of the default route; empty where there is none (proc(5), /proc/net/route)."""
    rows = (line.split() for line in read("/proc/net/route").splitlines()[1:])
    return next((row[0] for row in rows if len(row) > 7 and row[1] == row[7] == "00000000"), "")
