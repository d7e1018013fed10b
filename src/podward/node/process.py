"""The node as processes: its mount namespace first, then the engine is forked, then this process serves.

What of HTTP, TLS and gRPC is imported comes after the fork: the engine and its workers never have it, nor threads.
A CRI runtime behind a socket sees none of the node's mounts: for that one, volumes are plain directories.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from podward.errors import InputError
from podward.node import home, volume_verbs
from podward.node.options import Options
from podward.node.started import Started
from podward.node.verbs import VERBS
from podward.runtime.service import runtime_info
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.state import State
from podward.runtime.workers import engine


def run(options: Options, say: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code. Pods go on. Raises PodwardError."""
    home.require_root()
    if not options.bootstrap_kubeconfig and not os.path.isfile(options.kubeconfig):
        advice = "name a file that is there, or give --bootstrap-kubeconfig"
        raise InputError("there is no such kubeconfig", where=options.kubeconfig, advice=advice)
    state = State(options.root)
    for directory in (options.directory, options.pods, options.logs):
        os.makedirs(directory, mode=0o700, exist_ok=True)
    home.enter(state, options.directory)
    service = RuntimeService(options.root, options.service)
    service.choose_all()
    volume_verbs.learn()
    user_namespaces = runtime_info.user_namespaces_work(options.root)
    started = engine.start(service, VERBS)
    with service.serve_alone():
        from podward.node import serving  # not before the engine is forked

        return serving.run(Started(options, service, started, user_namespaces), say)
