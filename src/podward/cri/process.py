"""The CRI service as processes: the engine is forked first, then this process serves until a signal.

What of gRPC and HTTP is imported comes after the fork: the engine and its workers never have it, nor threads.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable

from podward.cri import listening, runtime_info
from podward.cri.log import Log
from podward.cri.options import Options, Started
from podward.errors import NodeError
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.service.verbs import VERBS
from podward.runtime.state import Lock, State
from podward.runtime.volumes import remove_tree
from podward.runtime.workers import engine


def run(options: Options, say: Callable[[str], None]) -> int:
    """Serve until SIGTERM or SIGINT; returns the exit code. Pods go on. Raises PodwardError."""
    listening.prepare(options.listen)
    State(options.root)
    service = RuntimeService(options.root, options.service)
    service.choose_all()
    user_namespaces = _user_namespaces(options.root)
    started = engine.start(service, VERBS)
    with _only_one(options.root):
        # It forks nothing and need not be told that a process that has it was forked.
        os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        from podward.cri import serving

        return serving.run(Started(options, service, started, Log(options.log_level), user_namespaces), say)


def _user_namespaces(root: str) -> bool:
    directory = tempfile.mkdtemp(prefix="cri-trial-", dir=root)
    try:
        return runtime_info.try_user_namespaces(directory)
    finally:
        remove_tree(directory)


def _only_one(root: str) -> Lock:
    """Held by the server of a state directory while it lives; its engine and their workers do not have it."""
    file = f"{root}/cri/server.lock"
    os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    lock = Lock.attempt(file)
    if lock is None:
        raise NodeError(
            "another CRI service runs on this state directory",
            where=root,
            advice="end it, or choose another --data-dir",
        )
    return lock
