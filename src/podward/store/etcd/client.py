"""Calls to etcd: the endpoints, which of them to use, and what their errors mean.

Where an endpoint goes away, reads are tried again; writes only if they were not sent, for else they may have been done.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import TypeAlias, TypeVar

import grpc
import grpc.aio
from msgspec import Struct

from podward.errors import CompactedError, StoreError, StoreFullError
from podward.store.etcd import messages
from podward.store.etcd.messages import WatchResponse

Answer = TypeVar("Answer")
_WatchCall: TypeAlias = "grpc.aio.StreamStreamMultiCallable[bytes, WatchResponse]"

_PATIENCE = 5.0
"""Seconds for an endpoint to be there."""
_ATTEMPTS = 3
_TIMEOUT = 10.0
"""Seconds for an answer."""
_OPTIONS = (
    ("grpc.max_receive_message_length", -1),  # lists are as long as they are
    ("grpc.max_send_message_length", -1),  # etcd refuses what is too large, in its own words
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1000),
    ("grpc.keepalive_time_ms", 30_000),  # kube-apiserver's
    ("grpc.keepalive_timeout_ms", 10_000),
)
_REQUIRE_LEADER = (("hasleader", "true"),)
"""A watch ends where its member is cut off from the others, instead of waiting for ever."""


class Tls(Struct, frozen=True):
    """PEM: who signs etcd's certificates (None: whom the system trusts), and our own certificate with its key."""

    authorities: bytes | None = None
    certificate: bytes | None = None
    key: bytes | None = None


class Client:
    """The endpoints (`host:port`) of one etcd."""

    def __init__(self, endpoints: tuple[str, ...], tls: Tls | None) -> None:
        self._names = ", ".join(endpoints)
        self._channels = [_channel(endpoint, tls) for endpoint in endpoints]

    async def read(self, method: str, request: bytes, decode: Callable[[bytes], Answer]) -> Answer:
        """The answer to a request that changes nothing. Raises StoreError; CompactedError of the revision 0."""
        return await self._ask(method, request, decode, _is_away)

    async def write(self, method: str, request: bytes, decode: Callable[[bytes], Answer]) -> Answer:
        """The answer to a request. Raises StoreError: it may have been done or not."""
        return await self._ask(method, request, decode, _was_not_sent)

    async def compact(self, before: int) -> None:
        """Forget what only revisions before this one had; more may have been forgotten already. Raises StoreError."""
        with contextlib.suppress(CompactedError):
            await self.write(messages.COMPACT, messages.compaction_request(before), len)

    async def watch(self, request: bytes, after: int) -> AsyncGenerator[WatchResponse, None]:
        """The responses of a new watch. Raises StoreError when it breaks, and CompactedError of `after`."""
        channel = await self._ready()
        opened: _WatchCall = channel.stream_stream(messages.WATCH, response_deserializer=messages.watch_response)
        call = opened(metadata=_REQUIRE_LEADER)
        try:
            await call.write(request)
            while isinstance(response := await call.read(), WatchResponse):
                if response.compacted:
                    raise CompactedError(after, response.compacted)
                if response.canceled:
                    raise StoreError(f"etcd ended the watch: {response.reason}", where=self._names)
                yield response
        except grpc.aio.AioRpcError as error:
            raise self._failure(error) from None
        finally:
            call.cancel()
        raise StoreError("etcd ended the watch", where=self._names)

    async def close(self) -> None:
        """End all connections."""
        for channel in self._channels:
            await channel.close()

    async def _ask(
        self,
        method: str,
        request: bytes,
        decode: Callable[[bytes], Answer],
        may_repeat: Callable[[grpc.aio.AioRpcError], bool],
    ) -> Answer:
        for attempt in range(1, _ATTEMPTS + 1):
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, Answer]
            call = (await self._ready()).unary_unary(method, response_deserializer=decode)
            try:
                return await call(request, timeout=_TIMEOUT)
            except grpc.aio.AioRpcError as error:
                if attempt == _ATTEMPTS or not may_repeat(error):
                    raise self._failure(error) from None
        raise AssertionError

    async def _ready(self) -> grpc.aio.Channel:
        """The first channel that is connected, waiting for one. Raises StoreError."""
        for channel in self._channels:
            if channel.get_state(try_to_connect=True) is grpc.ChannelConnectivity.READY:
                return channel
        tries = {asyncio.ensure_future(channel.channel_ready()): channel for channel in self._channels}
        try:
            done, _ = await asyncio.wait(tries, timeout=_PATIENCE, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for attempt in tries:
                attempt.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await attempt
        if not done:
            advice = "is it running, and do --store and the --etcd-…file options say the truth?"
            raise StoreError("no etcd answers", where=self._names, advice=advice)
        return tries[done.pop()]

    def _failure(self, error: grpc.aio.AioRpcError) -> StoreError | CompactedError:
        details = error.details() or error.code().name
        if error.code() is grpc.StatusCode.OUT_OF_RANGE and "compacted" in details:
            return CompactedError(0, 0)
        if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED and "space exceeded" in details:
            advice = "compact and defragment etcd, then disarm its alarm: `etcdctl alarm disarm`"
            return StoreFullError("etcd has no room", where=self._names, advice=advice)
        return StoreError(f"etcd failed: {details}", where=self._names)


def _is_away(error: grpc.aio.AioRpcError) -> bool:
    return error.code() is grpc.StatusCode.UNAVAILABLE


def _was_not_sent(error: grpc.aio.AioRpcError) -> bool:
    """Whether the endpoint was away before the request could be sent: its channel did not know it yet."""
    return _is_away(error) and "failed to connect to all addresses" in (error.details() or "")


def _channel(endpoint: str, tls: Tls | None) -> grpc.aio.Channel:
    if tls is None:
        return grpc.aio.insecure_channel(endpoint, options=_OPTIONS)
    credentials = grpc.ssl_channel_credentials(tls.authorities, tls.key, tls.certificate)
    return grpc.aio.secure_channel(endpoint, credentials, options=_OPTIONS)
