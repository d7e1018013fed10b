"""UpdateRuntimeConfig: the addresses of this node's Pods, where the network is our own.

Specification (CRI api.proto, kubelet updatePodCIDR, in our words): the kubelet tells the range that its Node was given,
one for each family, separated by commas, when it learns of it and at each start. Networks of others are configured by
others. Ours: no range has our bridge go with the last Pod.
"""

from __future__ import annotations

from ipaddress import IPv4Network

from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import UpdateRuntimeConfigRequest, UpdateRuntimeConfigResponse
from podward.runtime.network import configuration
from podward.runtime.network import pod as network
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.workers.calls import Caller

_SMALLEST = 30
"""The longest prefix that leaves an address for a Pod beside the bridge's."""


def update(
    service: RuntimeService, request: UpdateRuntimeConfigRequest, caller: Caller
) -> UpdateRuntimeConfigResponse | CriRefusal:
    """Have our own network use the range."""
    del caller
    directory, state = service.options.cni_conf_dir, service.state
    if not directory or not configuration.choose(state, directory).bridge:
        return UpdateRuntimeConfigResponse()
    config = request.runtime_config.network_config if request.runtime_config is not None else None
    told = config.pod_cidr if config is not None else ""
    if not told:
        network.release(state)
        return UpdateRuntimeConfigResponse()
    subnet = _first_of_ipv4(told)
    if subnet is None:
        sentence = f"there is no range of IPv4 addresses for Pods in {told!r}: give one such as 10.88.0.0/24"
        return CriRefusal(CriCode.INVALID_ARGUMENT, sentence)
    network.prepare(state, str(subnet))
    return UpdateRuntimeConfigResponse()


def _first_of_ipv4(told: str) -> IPv4Network | None:
    for word in told.split(","):
        try:
            found = IPv4Network(word.strip())
        except ValueError:
            continue
        if found.prefixlen <= _SMALLEST:
            return found
    return None
