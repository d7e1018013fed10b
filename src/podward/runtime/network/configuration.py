"""Which network Pods get: the first configuration in a directory (/etc/cni/net.d), else one of our own.

Specification (libcni `ConfFiles`, CNI 1.0, containerd and CRI-O): of the files `.conflist`, `.conf` and `.json`, in the
order of their names, the first one counts. A `.conf` or `.json` file has one plugin, which is a list of one.

Our own is a bridge with addresses of a /24 of 10.0.0.0/8 that no route of this machine has at its first use; it is kept
in the state directory. A node that is told its Pods' range (`tell`) has that one, and a bridge that stays without a
Pod. The bridge's plugin is not told that it is a gateway: it would switch this machine's forwarding
on (`net.ipv4.ip_forward`), which is not ours to change. The bridge's own address is set by us (`bridge`), and so is the
rule that lets Pods out (`nat_rules`).
"""

from __future__ import annotations

import contextlib
import os
import socket
import zlib
from collections.abc import Iterator

import msgspec
from msgspec import Struct, structs

from podward.api.node import IDENTITY
from podward.errors import InputError, NodeError
from podward.runtime import machine
from podward.runtime.network.nat_rules import BRIDGES
from podward.runtime.oci import write_private
from podward.runtime.state import Lock, State

DIRECTORIES = ("/usr/lib/cni", "/opt/cni/bin")
"""Where plugins are: Debian's place, and that of everybody else."""
HOST_LOCAL = "/var/lib/cni/networks"
_NAME, _VERSION = "podward", "0.4.0"
_LARGEST = 1 << 20


class NetworkList(Struct, frozen=True):
    """A configuration: its name, version and plugins. `bridge` is the name of our own bridge, empty in others'."""

    name: str
    version: str
    plugins: tuple[dict[str, msgspec.Raw], ...]
    bridge: str = ""
    subnet: str = ""
    file: str = ""


class _Own(Struct, frozen=True):
    """What is kept of our own configuration; `told` says that the subnet is one that we were told."""

    bridge: str
    subnet: str
    told: bool = False


class _List(Struct, frozen=True, rename="camel"):
    name: str = ""
    cni_version: str = "0.1.0"
    plugins: tuple[dict[str, msgspec.Raw], ...] = ()


def owns_network() -> bool:
    """Whether we may make bridges in the network that we are in: the machine's root may."""
    return machine.id_map("uid_map") == IDENTITY


def for_ports(networks: NetworkList, ports: tuple[dict[str, str | int], ...]) -> NetworkList:
    """The configuration for a Pod with these host ports: our own needs no portmap plugin for one without."""
    if ports or not networks.bridge:
        return networks
    return structs.replace(networks, plugins=networks.plugins[:1])


def needs_no_plugin(networks: NetworkList) -> bool:
    """Whether of a Pod whose namespace is gone only its addresses are left: our own bridge's plugin makes no rules."""
    return bool(networks.bridge) and len(networks.plugins) == 1 and "ipMasq" not in networks.plugins[0]


def plugins() -> str:
    """The directories with plugins, as CNI_PATH has them; empty where there are none to make a network with."""
    found = [place for place in DIRECTORIES if os.access(f"{place}/bridge", os.X_OK)]
    return ":".join(found)


def choose(state: State, others: str) -> NetworkList:
    """The configuration to use. Raises InputError for one of others that can't be read."""
    for name in sorted(_listed(others)):
        if name.endswith((".conflist", ".conf", ".json")):
            return _read(f"{others}/{name}")
    return own(state)


def own(state: State) -> NetworkList:
    """Our own configuration, made at its first use."""
    kept = _kept(state)
    if kept is None:
        os.makedirs(os.path.dirname(_own_file(state)), mode=0o700, exist_ok=True)
        with Lock.wait(f"{_own_file(state)}.lock"):
            kept = _kept(state) or _choose_own(state)
    return _own_list(kept, _addresses(state))


def tell(state: State, subnet: str) -> NetworkList:
    """Our own configuration from now on, with a subnet that we are told. Raises NodeError while others are in use."""
    os.makedirs(os.path.dirname(_own_file(state)), mode=0o700, exist_ok=True)
    with Lock.wait(f"{_own_file(state)}.lock"):
        kept = _kept(state)
        if kept is not None and kept.subnet != subnet and holders(state):
            advice = "end the Pods that have addresses of the other range first"
            raise NodeError(f"Pods have addresses of {kept.subnet}, not of {subnet}", where="pod CIDR", advice=advice)
        _write_own(state, _Own(bridge_name(state), subnet, told=True))
    return own(state)


def forget(state: State) -> None:
    """Be told no subnet any more: the one of before stays, and its bridge goes with the last Pod."""
    with Lock.wait(f"{_own_file(state)}.lock"):
        kept = _kept(state)
        if kept is not None and kept.told:
            _write_own(state, structs.replace(kept, told=False))


def is_told(state: State) -> bool:
    """Whether our own subnet is one that we were told, so that its bridge stays when no Pod is there."""
    kept = _kept(state)
    return kept is not None and kept.told


def leading_into(subnet: str, bridge: str) -> str:
    """The device of a route of this machine into the subnet that is not our bridge's; empty where there is none.

    A route that leads there with much else gives way, as routes do.
    """
    network, _, length = subnet.partition("/")
    mask = (0xFFFFFFFF << (32 - int(length))) & 0xFFFFFFFF
    ours = int.from_bytes(socket.inet_aton(network))
    into = (device for device, address, other in _device_routes() if other & mask == mask and address & mask == ours)
    return next((device for device in into if device != bridge), "")


def _kept(state: State) -> _Own | None:
    try:
        with open(_own_file(state), "rb") as opened:
            return msgspec.json.decode(opened.read(), type=_Own)
    except FileNotFoundError:
        return None


def _choose_own(state: State) -> _Own:
    routes = tuple((address, mask) for _, address, mask in _device_routes())
    chosen = _Own(bridge_name(state), free_subnet(zlib.crc32(state.root.encode()), routes))
    _write_own(state, chosen)
    return chosen


def bridge_name(state: State) -> str:
    """The name of our own bridge: each state directory's has another."""
    return f"{BRIDGES}{zlib.crc32(state.root.encode()):08x}"


def _write_own(state: State, chosen: _Own) -> None:
    file = _own_file(state)
    write_private(f"{file}.new", msgspec.json.encode(chosen))
    os.replace(f"{file}.new", file)


def has_own(state: State) -> bool:
    """Whether our own configuration was used before."""
    return os.path.exists(_own_file(state))


def _own_file(state: State) -> str:
    return f"{state.root}/network/own.json"


def _own_list(kept: _Own, addresses: str) -> NetworkList:
    raw = {
        "type": "bridge",
        "bridge": kept.bridge,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": addresses,
            "ranges": [[{"subnet": kept.subnet}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
    listed = tuple(
        {name: msgspec.Raw(msgspec.json.encode(value)) for name, value in plugin.items()} for plugin in (raw, portmap)
    )
    return NetworkList(_NAME, _VERSION, listed, kept.bridge, kept.subnet)


def reserved_address(state: State, networks: NetworkList, container: str) -> str:
    """The IPv4 address that host-local has set aside for the container: it keeps a file of its name with the id.

    Empty where there is none. Its directory is ours, or the plugin's own /var/lib/cni/networks in others' networks.
    """
    directory = f"{_addresses(state) if networks.bridge else HOST_LOCAL}/{networks.name}"
    return next((address for address, holder in _reserved(directory) if holder == container), "")


def holders(state: State) -> tuple[str, ...]:
    """The containers that have addresses of our own network."""
    return tuple(holder for _, holder in _reserved(f"{_addresses(state)}/{_NAME}"))


def free(state: State, container: str) -> None:
    """Free the container's addresses of our own network."""
    directory = f"{_addresses(state)}/{_NAME}"
    for address, holder in tuple(_reserved(directory)):
        if holder == container:
            os.unlink(f"{directory}/{address}")


def _reserved(directory: str) -> Iterator[tuple[str, str]]:
    """The IPv4 addresses that host-local has set aside, with who has them."""
    for name in _listed(directory):
        with contextlib.suppress(OSError), open(f"{directory}/{name}", encoding="ascii", errors="replace") as file:
            lines = file.read(_LARGEST).splitlines() if name.count(".") == 3 else []
            if lines:
                yield name, lines[0]


def _addresses(state: State) -> str:
    return f"{state.root}/network/addresses"


def free_range(mark: int) -> str:
    """A /20 of 10.0.0.0/8, for the Pods of several nodes, that no route of this machine overlaps now."""
    return free_subnet(mark, tuple((address, mask) for _, address, mask in _device_routes()), 20)


def free_subnet(mark: int, routes: tuple[tuple[int, int], ...], length: int = 24) -> str:
    """A subnet of 10.0.0.0/8 that overlaps none of these routes (address and mask); `mark` says where to begin.

    The first one is left to Services, which have their addresses there by custom.
    """
    own, count = (0xFFFFFFFF << (32 - length)) & 0xFFFFFFFF, 1 << (length - 8)
    for offset in range(count):
        network = (10 << 24) | ((mark + offset) % count << (32 - length))
        taken = (mask and network & mask & own == address & mask & own for address, mask in routes)
        if network != 10 << 24 and not any(taken):
            return f"{socket.inet_ntoa(network.to_bytes(4))}/{length}"
    return f"10.88.0.0/{length}"


def _device_routes() -> tuple[tuple[str, int, int], ...]:
    """Devices, destinations and masks of this machine's routes (proc(5): little-endian hexadecimals)."""
    with open("/proc/net/route", encoding="ascii") as file:
        rows = [line.split() for line in file.read().splitlines()[1:]]
    return tuple((row[0], _swapped(row[1]), _swapped(row[7])) for row in rows if len(row) > 7)


def _swapped(text: str) -> int:
    return int.from_bytes(int(text, 16).to_bytes(4, "little"), "big")


def _listed(directory: str) -> list[str]:
    try:
        return os.listdir(directory)
    except OSError:
        return []


def _read(file: str) -> NetworkList:
    try:
        with open(file, "rb") as opened:
            content = opened.read(_LARGEST)
        if file.endswith(".conflist"):
            found = msgspec.json.decode(content, type=_List)
            return NetworkList(found.name, found.cni_version, found.plugins, file=file)
        plugin = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
        named = msgspec.json.decode(content, type=_List)
        return NetworkList(named.name, named.cni_version, (plugin,), file=file)
    except (OSError, msgspec.MsgspecError) as error:
        raise InputError(
            f"not a CNI configuration: {error}", where=file, advice="mend or remove it, or leave --network out"
        ) from error
