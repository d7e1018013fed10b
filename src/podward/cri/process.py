"""The CRI service as processes: the engine is forked first, then this process serves until a signal.

What of gRPC and HTTP is imported comes after the fork: the engine and its workers never have it, nor threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from podward.cri import listening
from podward.cri.log import Log
from podward.cri.options import Options, Started
from podward.runtime.service import runtime_info
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.service.verbs import VERBS
from podward.runtime.state import State
from podward.runtime.workers import engine


def run(options: Options, say: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code. Pods go on. Raises PodwardError."""
    listening.prepare(options.listen)
    State(options.root)
    service = RuntimeService(options.root, options.service)
    service.choose_all()
    user_namespaces = runtime_info.user_namespaces_work(options.root)
    started = engine.start(service, VERBS)
    with service.serve_alone():
        # It forks nothing and need not be told that a process that has it was forked.
        os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        from podward.cri import serving

        return serving.run(Started(options, service, started, Log(options.log_level), user_namespaces), say)
