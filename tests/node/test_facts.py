"""What a CRI runtime behind a socket says that it can do decides the node's Pods."""

from __future__ import annotations

import pytest

from podward.api.cri_requests import RuntimeConfigResponse, StatusResponse
from podward.api.cri_status import LinuxRuntimeConfiguration, RuntimeFeatures, RuntimeHandler, RuntimeHandlerFeatures
from podward.api.node import Node
from podward.errors import NodeError
from podward.node import facts


def _told(*handlers: RuntimeHandler, features: RuntimeFeatures | None = None) -> tuple[bool, bool, bool]:
    node = facts.with_told(Node(0), StatusResponse(None, {}, handlers, features))
    return node.userns_supported, node.recursive_read_only, node.supplemental_groups_policy


def test_the_default_handler_decides() -> None:
    old, new = RuntimeHandlerFeatures(), RuntimeHandlerFeatures(recursive_read_only_mounts=True, user_namespaces=True)
    groups = RuntimeFeatures(supplemental_groups_policy=True)
    assert _told(RuntimeHandler("", old), RuntimeHandler("new", new), features=groups) == (False, False, True)
    assert _told(RuntimeHandler("old", old), RuntimeHandler("", new)) == (True, True, False)


def test_a_runtime_that_says_nothing_can_do_nothing_of_it() -> None:
    assert _told() == (False, False, False)


def test_a_runtime_whose_cgroups_systemd_makes_is_refused() -> None:
    with pytest.raises(NodeError, match="systemd"):
        facts.check_driver(RuntimeConfigResponse(LinuxRuntimeConfiguration("SYSTEMD")))
    for can in (RuntimeConfigResponse(LinuxRuntimeConfiguration("CGROUPFS")), RuntimeConfigResponse()):
        facts.check_driver(can)
