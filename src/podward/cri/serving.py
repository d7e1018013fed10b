"""Serving: recovery first, then the streams' server and the socket, until a signal or the engine's end."""

from __future__ import annotations

import asyncio
import gc
import os
from collections.abc import Callable

from podward.api.cri_refusal import CriRefusal
from podward.cri import listening, methods, plugins, server
from podward.cri.front import Front
from podward.cri.log import Log
from podward.cri.options import Options, Started
from podward.cri.tidings import Tidings
from podward.errors import NodeError
from podward.runtime.service import verbs
from podward.runtime.service.exits import ExitWatch
from podward.runtime.service.figures import Figures
from podward.runtime.service.recovery import RecoverRequest
from podward.runtime.service.runtime_info import RuntimeInfo
from podward.runtime.service.runtime_service import RuntimeService
from podward.runtime.service.stream_urls import Provider, Urls
from podward.runtime.streaming.server import StreamingServer
from podward.runtime.workers.client import EngineClient
from podward.runtime.workers.lifetime import End, with_engine

_LOOK_AGAIN = 5.0
"""Seconds until what was busy is looked at again."""
_GRACE = 5.0
"""Seconds that calls have to come to their end when the service is told to end."""


def run(started: Started, say: Callable[[str], None]) -> int:
    """Serve; returns the exit code."""
    return asyncio.run(_main(started, say))


async def _main(started: Started, say: Callable[[str], None]) -> int:
    engine = EngineClient[RuntimeService](*started.engine)
    async with with_engine(engine) as end:
        await _serve(started, engine, end, say)
        return end.exit_code(started.log.failed)


async def _serve(started: Started, engine: EngineClient[RuntimeService], end: End, say: Callable[[str], None]) -> None:
    options, service = started.options, started.service
    tidings = Tidings(service)
    busy = await _recover(engine, started.log)
    served = plugins.of_service(started, engine)
    front = Front(service, engine, served, tidings, started.log)
    streams = StreamingServer(Provider(engine), host=options.stream_address, port=options.stream_port)
    figures = Figures(service)
    info = RuntimeInfo(service, user_namespaces=started.user_namespaces)
    parts = methods.Parts(info, figures, Urls(service, streams), tidings.events.stream)
    await served.start()
    await _start_streams(streams, options)
    grpc = server.make(methods.table(front, parts), started.log)
    with listening.owners_alone():
        try:
            grpc.add_insecure_port(f"unix:{options.listen}")
        except RuntimeError as error:
            raise NodeError(f"cannot listen: {error}", where=options.listen, advice="choose another --listen") from None
    made = os.lstat(options.listen)
    watch = ExitWatch(service.records.exits, tidings.ended, served.ended, front.ended)
    await grpc.start()
    later = asyncio.create_task(_recover_later(engine, started.log, busy))
    gc.collect()
    gc.freeze()
    gc.enable()
    try:
        say(options.listen)
        await end.comes()
    finally:
        later.cancel()
        tidings.events.close()
        await grpc.stop(_GRACE)
        await front.close(_GRACE)
        await streams.stop()
        figures.close()
        watch.close()
        await served.close()
        listening.remove(options.listen, made)


async def _recover(engine: EngineClient[RuntimeService], log: Log) -> tuple[str, ...]:
    """Bring everything to its true state before anybody is answered; returns what others are still at work on."""
    answer = await engine.call(verbs.RECOVER, RecoverRequest())
    if isinstance(answer, CriRefusal):
        raise NodeError(f"what an earlier service left cannot be looked at: {answer.message}")
    for identifier in answer.settled:
        log.note(f"{identifier} was brought to its true state")
    for why in answer.left:
        log.failed(f"something of an earlier service is left: {why}")
    return answer.busy


async def _recover_later(engine: EngineClient[RuntimeService], log: Log, busy: tuple[str, ...]) -> None:
    """Look again until the workers of an earlier service have come to their ends."""
    while busy:
        await asyncio.sleep(_LOOK_AGAIN)
        busy = await _recover(engine, log)


async def _start_streams(streams: StreamingServer, options: Options) -> None:
    try:
        await streams.start()
    except OSError as error:
        where = f"{options.stream_address}:{options.stream_port}"
        advice = "choose another --stream-address or --stream-port"
        raise NodeError(f"streams cannot be served: {error.strerror}", where=where, advice=advice) from None
