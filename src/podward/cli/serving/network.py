"""The ranges of addresses of a cluster on this machine: its Pods', and the Services' address for names."""

from __future__ import annotations

import contextlib
import os
import zlib
from ipaddress import ip_network

from podward.runtime.network import configuration
from podward.runtime.oci import write_private

SERVICE_RANGE = "10.0.0.0/24"
"""Where nobody says otherwise: the API server's own default."""
_DNS = 10


def cluster_dns(service_range: str) -> str:
    """The address at which the cluster's names are asked for: by custom the tenth of the Services'."""
    network = ip_network(service_range or SERVICE_RANGE)
    return str(network[min(_DNS, network.num_addresses - 2)])


def free_range(directory: str) -> str:
    """A /20 for Pods, sixteen nodes of 254, that this machine has no route into; another for each directory."""
    return configuration.free_range(zlib.crc32(directory.encode()))


def pods_range(directory: str) -> str:
    """The range that a cluster in this directory has had since its first start."""
    file = os.path.join(directory, "pods-range")
    with contextlib.suppress(FileNotFoundError), open(file, encoding="ascii") as kept:
        return kept.read().strip()
    os.makedirs(directory, mode=0o700, exist_ok=True)
    found = free_range(directory)
    write_private(f"{file}.new", f"{found}\n".encode())
    os.replace(f"{file}.new", file)
    return found
