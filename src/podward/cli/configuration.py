"""The words by which `run`, `explain` and `diff` configure the node, and the node that they make."""

from __future__ import annotations

import argparse
import os

import msgspec

from podward.api.node import Node
from podward.errors import UsageError
from podward.policy.kubelet import sysctls
from podward.runtime import machine, probe


def node_of(choice: probe.RuntimeChoice, args: argparse.Namespace) -> Node:
    """The node as these words configure it, the same for a dry run and for a real one.

    Raises UsageError for sysctls with which no kubelet starts: they would change the machine, not the Pod.
    """
    patterns = tuple(filter(None, args.allowed_unsafe_sysctls.split(",")))
    fault = sysctls.fault_of(patterns)
    if fault:
        advice = (
            "a kubelet does not start with it; net.*, kernel.shm*, kernel.msg*, kernel.sem and fs.mqueue.* are a Pod's"
        )
        raise UsageError(fault, where="--allowed-unsafe-sysctls", advice=advice)
    return msgspec.structs.replace(
        machine.gather(choice.kind, args.runtime_defaults),
        seccomp_default=args.seccomp_default,
        allowed_unsafe_sysctls=patterns,
        seccomp_root=os.path.abspath(args.seccomp_root),
        recursive_read_only=choice.recursive_read_only,
    )
