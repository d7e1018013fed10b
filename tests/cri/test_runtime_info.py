"""What the runtime says of itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from cri_server import Client, CriServer

from podward import __version__
from podward.api import cri_requests as cri
from podward.api.cri_status import NetworkConfig, RuntimeConfig

pytestmark = pytest.mark.needs("root", "crun", "cni")


def test_the_version_is_ours_and_the_api_is_v1(client: Client) -> None:
    answer = client.ask(cri.VersionRequest("0.1.0"), cri.VersionResponse)
    assert (answer.version, answer.runtime_name) == ("0.1.0", "podward")
    assert (answer.runtime_version, answer.runtime_api_version) == (__version__, "v1")


def test_runtime_and_network_are_ready(client: Client) -> None:
    answer = client.ask(cri.StatusRequest(), cri.StatusResponse)
    assert answer.status is not None
    assert {each.type: each.status for each in answer.status.conditions} == {"RuntimeReady": True, "NetworkReady": True}
    assert answer.info == {}


def test_a_handler_is_listed_by_its_name_and_the_default_one_without(client: Client) -> None:
    handlers = client.ask(cri.StatusRequest(), cri.StatusResponse).runtime_handlers
    names = {each.name for each in handlers}
    assert {"", "crun"} <= names
    assert "kata" not in names
    assert all(each.features is not None for each in handlers)


def test_a_process_in_gvisor_has_no_user_namespace_of_its_pod(client: Client) -> None:
    handlers = client.ask(cri.StatusRequest(), cri.StatusResponse).runtime_handlers
    assert [each.features.user_namespaces for each in handlers if each.name == "runsc" and each.features] in (
        [],
        [False],
    )


def test_the_policy_of_supplemental_groups_is_known(client: Client) -> None:
    features = client.ask(cri.StatusRequest(), cri.StatusResponse).features
    assert features is not None
    assert features.supplemental_groups_policy


def test_asked_for_more_it_tells_its_configuration(client: Client, server: CriServer) -> None:
    told = client.ask(cri.StatusRequest(verbose=True), cri.StatusResponse).info
    assert json.loads(told["config"])["root"] == str(server.root)


def test_a_network_that_cant_be_made_is_told(own_server: Callable[..., CriServer], tmp_path: Path) -> None:
    (tmp_path / "net.d").mkdir()
    (tmp_path / "net.d" / "10-no.conf").write_text('{"cniVersion":"0.4.0","name":"no","type":"no-such-plugin"}')
    status = own_server().client.ask(cri.StatusRequest(), cri.StatusResponse).status
    assert status is not None
    (network,) = (each for each in status.conditions if each.type == "NetworkReady")
    assert not network.status
    assert network.reason == "NetworkPluginNotReady"
    assert "there is no CNI plugin no-such-plugin" in network.message


def test_the_kubelet_is_told_who_makes_cgroups(client: Client) -> None:
    answer = client.ask(cri.RuntimeConfigRequest(), cri.RuntimeConfigResponse)
    assert answer.linux is not None
    assert answer.linux.cgroup_driver == "CGROUPFS"


def test_the_range_of_pods_is_taken_until_there_is_none(own_server: Callable[..., CriServer]) -> None:
    client = own_server().client

    def tell(cidr: str) -> cri.UpdateRuntimeConfigResponse:
        request = cri.UpdateRuntimeConfigRequest(RuntimeConfig(NetworkConfig(cidr)))
        return client.ask(request, cri.UpdateRuntimeConfigResponse)

    assert tell("fd00:18::/64,198.18.80.0/26") == cri.UpdateRuntimeConfigResponse()
    try:
        assert "198.18.80.0/26" in routes()
    finally:
        assert tell("") == cri.UpdateRuntimeConfigResponse()
    assert "198.18.80.0/26" not in routes()


def routes() -> str:
    return subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
