"""Doing what a probe or a hook of a running container asks: a command in it, a request over the network, a pause.

Specification (kubelet, prober.go, pkg/probe, lifecycle handlers.go, in our words): a command runs by ExecSync; one that
takes longer than a probe's timeout has failed, one that cannot be run is an error. Of what it prints 10 KiB are kept.
References to variables with fixed values are expanded in a probe's command, not in a hook's. Requests go out from the
node's own network. What is asked over HTTP and TCP is `runtime.network_checks`' rule; it is done in threads, of which
none can be held up for longer than the time that it has.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor

from msgspec import Struct

from podward.api import go_duration
from podward.api.core import ExecAction, Handler
from podward.api.cri_refusal import CriCode, CriRefusal
from podward.api.cri_requests import ExecSyncRequest
from podward.api.gotext import quote
from podward.node.runtime import Runtime
from podward.policy.kubelet import environment
from podward.policy.kubelet.probes import Result
from podward.runtime import network_checks
from podward.runtime.network_checks import LIFECYCLE, PROBE, Asked, Guard, HttpCheck, TcpCheck
from podward.runtime.service import verbs

MOST_OUTPUT = 10 * 1024
_MOST_CHECKS = 64
_SPARE = 0.5
"""Seconds that a check has to end by itself once its time is over."""


class Answer(Struct, frozen=True):
    """What came of it, what was printed or answered, and the error where it has failed."""

    result: Result
    said: str = ""
    error: str = ""


class Handlers:
    """Does handlers of containers."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._threads = ThreadPoolExecutor(_MOST_CHECKS, "checks")

    def close(self) -> None:
        """Do nothing more."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def do(self, handler: Handler, asked: Asked, run: str) -> Answer:
        """Do it for the container whose run has this id."""
        if handler.exec is not None:
            return await self._execute(handler.exec, asked, run)
        if handler.sleep is not None:
            await asyncio.sleep(min(handler.sleep.seconds, asked.timeout))
            return Answer(Result.SUCCESS)
        if handler.grpc is not None:
            from podward.node import grpc_check  # it is large, and few Pods have such a probe

            return Answer(*await grpc_check.run(asked.address, handler.grpc, asked.timeout))
        action = handler.http_get or handler.tcp_socket
        if action is None:
            return Answer(Result.ERROR, error="missing probe handler")
        check = network_checks.check_of(action, asked)
        if isinstance(check, str):
            return Answer(Result.ERROR, error=check)
        return await self._check(check)

    async def _execute(self, action: ExecAction, asked: Asked, run: str) -> Answer:
        command = action.command or ()
        if asked.purpose == PROBE:
            static = {variable.name: variable.value or "" for variable in asked.container.env or ()}
            command = tuple(environment.expand(word, static) for word in command)
        seconds = 0 if asked.purpose == LIFECYCLE else int(asked.timeout)
        answer = await self._runtime.call(verbs.EXEC_SYNC, ExecSyncRequest(run, command, seconds))
        words = " ".join(command)
        if isinstance(answer, CriRefusal):
            if answer.code is CriCode.DEADLINE_EXCEEDED:
                late = f"command timed out: {quote(words)} timed out after {go_duration.text_of(asked.timeout)}"
                return Answer(Result.FAILURE, late, late)
            return Answer(Result.ERROR, error=answer.as_error)
        said = (answer.stdout + answer.stderr)[:MOST_OUTPUT].decode(errors="replace")
        if answer.exit_code == 0:
            return Answer(Result.SUCCESS, said)
        complaint = answer.stderr[:MOST_OUTPUT].decode(errors="replace")
        return Answer(Result.FAILURE, said, f"command '{words}' exited with {answer.exit_code}: {complaint}")

    async def _check(self, check: HttpCheck | TcpCheck) -> Answer:
        guard = Guard()
        work = asyncio.get_running_loop().run_in_executor(self._threads, network_checks.run, check, guard)
        try:
            limit = check.timeout + _SPARE if check.timeout < float("inf") else None
            result, said = await asyncio.wait_for(asyncio.shield(work), limit)
        except TimeoutError:
            what = f'Get "{check.url}": ' if isinstance(check, HttpCheck) else ""
            result, said = Result.FAILURE, f"{what}context deadline exceeded"
        finally:
            guard.end()
            if work.done():
                with contextlib.suppress(asyncio.CancelledError):
                    work.exception()
        return Answer(result, said, "" if result in {Result.SUCCESS, Result.WARNING} else said)
