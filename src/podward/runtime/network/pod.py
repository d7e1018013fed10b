"""The network of one Pod: attached before its containers start, detached at its end, whoever comes to do it.

What is about to be done is written into the Pod's directory first, so that a sweep takes away also what a podward that
was killed had made in part. Our bridge goes with the last Pod on it: by who has the network's lock alone then.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator

import msgspec
from msgspec import Struct

from podward.api.cri import PodSandboxConfig
from podward.errors import NodeError, PodwardError
from podward.runtime.network import bridge, configuration, nat_rules, plugins
from podward.runtime.network.configuration import NetworkList
from podward.runtime.network.plugins import INTERFACE, Call, Result
from podward.runtime.oci import write_private
from podward.runtime.state import Lock, State

_FILE = "network.json"
_PREFIX = "podward-"
"""What the id begins with that plugins are told."""
_WAY_OUT, _PORTS = "way-out", "ports"
"""What is noted beside our own network: the bridge that has a rule for its way out, and that host ports were used."""


class Attachment(Struct, frozen=True):
    """What is known of a Pod's network: the file `network.json` of its directory. `result` is the last plugin's."""

    networks: NetworkList
    call: Call
    result: msgspec.Raw = msgspec.Raw(b"null")

    @property
    def addresses(self) -> tuple[str, ...]:
        """The Pod's addresses; none before the first plugin has answered."""
        result = msgspec.json.decode(self.result, type=Result | None)
        return result.addresses if result is not None else ()


def attach(state: State, configured: str, directory: str, config: PodSandboxConfig, namespace: str) -> tuple[str, ...]:
    """Give the Pod in this directory a network in the namespace; returns its addresses.

    `configured` is the directory of networks' configurations.

    Raises NodeError with what a plugin said; then nothing is left.
    """
    with _sharing(state):
        call = _call(config, os.path.basename(directory), namespace)
        networks = configuration.for_ports(configuration.choose(state, configured), call.ports)
        attachment = Attachment(networks, call)
        _write(directory, attachment)
        if networks.bridge and call.ports:
            _note(state, _PORTS, "used")
        try:
            for plugin in networks.plugins:
                answer = plugins.call("ADD", call, networks.name, networks.version, plugin, bytes(attachment.result))
                attachment = msgspec.structs.replace(attachment, result=msgspec.Raw(answer))
                _write(directory, attachment)
                _complete_bridge(state, networks)  # made by the first plugin; the next one looks for a route to the Pod
        except (PodwardError, OSError):
            with contextlib.suppress(PodwardError, OSError):  # what failed to be made is what is told
                _take_away(directory, attachment, namespace)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(f"{directory}/{_FILE}")
            raise
        return attachment.addresses


def _complete_bridge(state: State, networks: NetworkList) -> None:
    """Give our own bridge its address; and the rule that lets Pods out, once in its life."""
    if not networks.bridge:
        return
    bridge.give_address(networks.bridge, bridge.first_address(networks.subnet), bridge.mask_of(networks.subnet))
    made = f"{bridge.identity(networks.bridge)} {networks.subnet}"
    if _read(state, _WAY_OUT) != made:
        with Lock.wait(f"{state.root}/network/{_WAY_OUT}.lock"):
            nat_rules.let_out(networks.bridge, networks.subnet)
            bridge.settle(networks.bridge)
            _note(state, _WAY_OUT, made)


def prepare(state: State, subnet: str) -> NetworkList:
    """Have our own network use this subnet, and its bridge be there from now on. Raises NodeError where it can't be.

    One of an earlier subnet goes first. Pods of it must be gone.
    """
    name = configuration.bridge_name(state)
    if (device := configuration.leading_into(subnet, name)) != "":
        advice = "choose another range of addresses for Pods"
        raise NodeError(f"this machine has a route into {subnet} already, by {device}", where="pod CIDR", advice=advice)
    os.makedirs(f"{state.root}/network", mode=0o700, exist_ok=True)
    with Lock.wait(f"{state.root}/network/lock"):
        before = configuration.own(state) if configuration.has_own(state) else None
        networks = configuration.tell(state, subnet)
        if before is not None and before.subnet != subnet:
            _dismantle(state, before)
        bridge.make(networks.bridge)
        _complete_bridge(state, networks)
    return networks


def release(state: State) -> None:
    """Let our own bridge go with its last Pod, or now."""
    if not configuration.has_own(state):
        return
    with Lock.wait(f"{state.root}/network/lock"):
        configuration.forget(state)
        _remove_unused_bridge(state)


def detach(state: State, directory: str) -> None:
    """Take the Pod's network away, if it has one."""
    try:
        with open(f"{directory}/{_FILE}", "rb") as file:
            attachment = msgspec.json.decode(file.read(), type=Attachment)
    except FileNotFoundError:
        return
    except msgspec.DecodeError as error:
        raise NodeError(f"what is known of the Pod's network can't be read: {error}", where=directory) from error
    with _sharing(state):
        if os.path.exists(attachment.call.namespace) and _is_namespace(attachment.call.namespace):
            _take_away(directory, attachment, attachment.call.namespace)
            return
        if configuration.needs_no_plugin(attachment.networks):
            configuration.free(state, attachment.call.container)
            os.unlink(f"{directory}/{_FILE}")
            return
        # A plugin that was at work may have made more than its answer, which nobody heard, would say.
        address = configuration.reserved_address(state, attachment.networks, attachment.call.container)
        with bridge.stand_in(INTERFACE, address) as namespace:
            _take_away(directory, attachment, namespace)


@contextlib.contextmanager
def _sharing(state: State) -> Iterator[None]:
    """Several attach and detach Pods at a time; who finds nobody else at it in the end removes what nobody needs."""
    os.makedirs(f"{state.root}/network", mode=0o700, exist_ok=True)
    try:
        with Lock.share(f"{state.root}/network/lock"):
            yield
    finally:
        if (alone := Lock.attempt(f"{state.root}/network/lock")) is not None:
            with alone:
                _remove_unused_bridge(state)


def _remove_unused_bridge(state: State) -> None:
    """Remove our own bridge with all that was made with it, unless a Pod is attached. The network's lock is ours."""
    if not configuration.has_own(state) or configuration.is_told(state):
        return
    ours = configuration.own(state)
    if not bridge.identity(ours.bridge) or bridge.has_ports(ours.bridge):
        return
    _dismantle(state, ours)
    if _read(state, _PORTS):
        nat_rules.remove_empty_chains()
        _note(state, _PORTS, "")


def _dismantle(state: State, ours: NetworkList) -> None:
    """Remove our own bridge, last of all: as long as it is there, the next call finishes who was killed at this."""
    _note(state, _WAY_OUT, "")
    nat_rules.keep_in(ours.bridge, ours.subnet)
    bridge.remove(ours.bridge)


def _note(state: State, name: str, text: str) -> None:
    write_private(f"{state.root}/network/{name}", text.encode())


def _read(state: State, name: str) -> str:
    try:
        with open(f"{state.root}/network/{name}", encoding="ascii") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def free_unknown(state: State, is_known: Callable[[str], bool]) -> None:
    """Free the addresses of our own network that nobody has: `is_known` says whether there is a Pod of this id."""
    os.makedirs(f"{state.root}/network", mode=0o700, exist_ok=True)
    with Lock.wait(f"{state.root}/network/lock"):
        for container in configuration.holders(state):
            if not is_known(container.removeprefix(_PREFIX)):
                configuration.free(state, container)
        _remove_unused_bridge(state)


def _take_away(directory: str, attachment: Attachment, namespace: str) -> None:
    """Every plugin is asked, whatever the others say; the first error is raised when all were."""
    networks, errors = attachment.networks, []
    call = msgspec.structs.replace(attachment.call, namespace=namespace)
    for plugin in reversed(networks.plugins):
        try:
            _delete(networks, call, plugin, bytes(attachment.result))
        except PodwardError as error:
            errors.append(error)
    if errors:
        raise errors[0]
    os.unlink(f"{directory}/{_FILE}")


def _delete(networks: NetworkList, call: Call, plugin: dict[str, msgspec.Raw], result: bytes) -> None:
    """Ask twice: another one, whose podward was killed while it waited, may be at the same work."""
    try:
        plugins.call("DEL", call, networks.name, networks.version, plugin, result)
    except PodwardError:
        time.sleep(0.2)
        plugins.call("DEL", call, networks.name, networks.version, plugin, result)


def _call(config: PodSandboxConfig, identity: str, namespace: str) -> Call:
    """What containerd tells the plugins of a Pod."""
    metadata = config.metadata
    words = {
        "IgnoreUnknown": "1",
        "K8S_POD_NAMESPACE": metadata.namespace or "default",
        "K8S_POD_NAME": metadata.name or "pod",
        "K8S_POD_INFRA_CONTAINER_ID": identity,
        "K8S_POD_UID": metadata.uid or "",
    }
    arguments = ";".join(f"{name}={_word(value)}" for name, value in words.items())
    return Call(f"{_PREFIX}{identity}", namespace, arguments, _ports(config), configuration.plugins())


def _word(value: str) -> str:
    """A value that can't be taken for more words: a manifest's uid may be anything."""
    return "".join(character for character in value if character.isalnum() or character in "-._")


def _ports(config: PodSandboxConfig) -> tuple[dict[str, str | int], ...]:
    """The ports of the node that lead to the Pod, as `portMappings`."""
    return tuple(
        {
            "hostPort": port.host_port,
            "containerPort": port.container_port,
            "protocol": port.protocol.lower(),
            "hostIP": port.host_ip,
        }
        for port in config.port_mappings
        if port.host_port > 0
    )


def _write(directory: str, attachment: Attachment) -> None:
    write_private(f"{directory}/{_FILE}.new", msgspec.json.encode(attachment))
    os.replace(f"{directory}/{_FILE}.new", f"{directory}/{_FILE}")


def _is_namespace(path: str) -> bool:
    """Whether a namespace is mounted there: in another mount namespace the path is an empty file."""
    return os.stat(path).st_dev != os.stat(os.path.dirname(path)).st_dev
