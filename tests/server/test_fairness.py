"""Seats and queues: who is next where more requests come than are served at the same time."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from http.client import HTTPSConnection
from pathlib import Path
from statistics import median
from urllib.parse import urlsplit

import pytest
from api_server import Server, running

from podward.access.authentication import Authenticated, Credentials, Outcome
from podward.api.authorization import Answer as Opinionated
from podward.api.authorization import Attributes, Opinion
from podward.api.caller import MASTERS, User
from podward.api.status import Status
from podward.decision import Origin, Source
from podward.server.chain import Filters, chained
from podward.server.fairness import Fairness, Limits, Pool
from podward.server.request import Answer, Reply, Request
from podward.server.request_info import RequestInfo


class Alice:
    """Everybody is alice."""

    async def authenticate(self, _credentials: Credentials, _audiences: Sequence[str] = ()) -> Outcome:
        return Authenticated(User("alice"), "a test")


async def allowed(_wanted: Attributes) -> Opinionated:
    return Opinionated(Opinion.ALLOW, Source(Origin.POLICY, "all"))


def in_loop(work: Callable[[], Awaitable[None]]) -> None:
    async def run() -> None:
        await work()

    asyncio.run(run())


def asked(user: User, path: str = "", verb: str = "list") -> Request:
    async def body() -> bytes:
        return b""

    info = RequestInfo(path, verb, resource_request=not path)
    return Request("GET", path, {}, {}, info, body, user=user)


async def entered(pool: Pool, user: str, order: list[str]) -> None:
    assert await pool.enter(user)
    order.append(user)
    pool.leave()


def test_in_one_turn_of_the_loop_only_a_few_begin() -> None:
    async def work() -> None:
        pool, order = Pool(100, 100, at_once=2), list[str]()
        crowd = [asyncio.create_task(entered(pool, "greedy", order)) for _ in range(6)]
        late = asyncio.create_task(entered(pool, "late", order))
        await asyncio.gather(*crowd, late)
        assert order.index("late") == 3

    in_loop(work)


def test_users_are_served_in_turn() -> None:
    async def work() -> None:
        pool, order = Pool(1, 100), list[str]()
        assert await pool.enter("first")
        waiting = [asyncio.create_task(entered(pool, user, order)) for user in ("greedy",) * 5 + ("alice", "bob")]
        await asyncio.sleep(0)
        assert (pool.waiting, order) == (7, [])
        pool.leave()
        await asyncio.gather(*waiting)
        assert order == ["greedy", "alice", "bob", "greedy", "greedy", "greedy", "greedy"]
        assert (pool.taken, pool.waiting) == (0, 0)

    in_loop(work)


def test_nobody_gets_a_seat_past_those_who_wait() -> None:
    async def work() -> None:
        pool, order = Pool(1, 100), list[str]()
        assert await pool.enter("first")
        early = asyncio.create_task(entered(pool, "early", order))
        await asyncio.sleep(0)
        pool.leave()  # early's now, though he has not gone on
        late = asyncio.create_task(entered(pool, "late", order))
        await asyncio.gather(early, late)
        assert order == ["early", "late"]

    in_loop(work)


def test_a_queue_is_only_so_long_and_patience_ends() -> None:
    async def work() -> None:
        pool = Pool(1, 2, patience=0.05)
        assert await pool.enter("first")
        waiting = [asyncio.create_task(pool.enter("greedy")) for _ in range(2)]
        await asyncio.sleep(0)
        assert not await pool.enter("greedy")
        assert await asyncio.gather(*waiting) == [False, False]
        assert pool.waiting == 0
        pool.leave()
        assert await pool.enter("greedy")

    in_loop(work)


def test_who_goes_away_leaves_no_seat_taken() -> None:
    async def work() -> None:
        pool = Pool(1, 2)
        assert await pool.enter("first")
        gone, called = (asyncio.create_task(pool.enter(user)) for user in ("gone", "called"))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        pool.leave()
        called.cancel()  # when it is his turn already
        await asyncio.gather(gone, called, return_exceptions=True)
        assert (pool.taken, pool.waiting) == (0, 0)

    in_loop(work)


def test_without_fairness_nobody_waits_and_nothing_is_no_limit() -> None:
    async def work() -> None:
        fairness = Fairness(Limits(1, 0, fair=False))
        assert await fairness.reading.enter("first")
        assert not await fairness.reading.enter("second")
        for _ in range(1000):
            assert await fairness.writing.enter("first")

    in_loop(work)


def test_masters_and_health_are_never_held_up() -> None:
    fairness = Fairness(Limits())
    alice = User("alice", ("dev",))
    assert fairness.pool_of(asked(alice)) is fairness.reading
    assert fairness.pool_of(asked(alice, verb="create")) is fairness.writing
    assert fairness.pool_of(asked(alice, verb="deletecollection")) is fairness.writing
    assert fairness.pool_of(asked(alice, path="/version", verb="get")) is fairness.reading
    assert fairness.pool_of(asked(alice, path="/readyz", verb="get")) is None
    assert fairness.pool_of(asked(User("admin", (MASTERS,)))) is None


def test_each_user_has_so_many_streams() -> None:
    fairness = Fairness(Limits(streams=2))
    assert [fairness.begin_stream("alice") for _ in range(3)] == [True, True, False]
    assert fairness.begin_stream("bob")
    fairness.end_stream("alice")
    assert fairness.begin_stream("alice")
    for user in ("alice", "alice", "bob"):
        fairness.end_stream(user)
    assert not fairness.streams


USERS = "greedy-word,greedy,1\nnice-word,nice,2\n"
GREEDY, NICE = "greedy-word", "nice-word"


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Server]:
    """A server that two users may read from, two requests at a time."""
    users = tmp_path / "users.csv"
    users.write_text(USERS)
    limits = ("--max-requests-inflight", "2", "--max-mutating-requests-inflight", "2")
    with running(
        tmp_path,
        *limits,
        "--authorization-mode",
        "AlwaysAllow",
        "--anonymous-auth=false",
        "--token-auth-file",
        str(users),
    ) as server:
        yield server


MAPS = "/api/v1/namespaces/default/configmaps"


class Client:
    """One connection that is kept."""

    def __init__(self, server: Server, word: str) -> None:
        where = urlsplit(server.url)
        self._connection = HTTPSConnection(where.hostname or "", where.port, context=server.context, timeout=60)
        self._headers = {"Authorization": f"Bearer {word}"}

    def get(self, path: str) -> tuple[int, float]:
        """The code, and how long it took."""
        begun = time.monotonic()
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status, time.monotonic() - begun

    def close(self) -> None:
        """Let the connection go."""
        self._connection.close()


def test_a_greedy_client_holds_up_nobody_else(shared: Server) -> None:
    for index in range(100):
        body = {"metadata": {"name": f"c{index}"}, "data": {"a": "x" * 1_000}}
        assert shared.ask("POST", MAPS, body, token=NICE)[0] == 201
    ended, theirs = threading.Event(), list[tuple[int, float]]()

    def greed() -> None:
        client = Client(shared, GREEDY)
        while not ended.is_set():
            theirs.append(client.get(f"{MAPS}?labelSelector=a!%3Db&pretty=true"))
        client.close()

    crowd = [threading.Thread(target=greed) for _ in range(40)]
    for each in crowd:
        each.start()
    try:
        client = Client(shared, NICE)
        client.get("/version")
        mine = [client.get(f"{MAPS}/c1") for _ in range(40)]
        client.close()
    finally:
        ended.set()
        for each in crowd:
            each.join()
    assert {code for code, _ in theirs + mine} == {200}
    assert 2 * median(seconds for _, seconds in mine) < median(seconds for _, seconds in theirs)


def test_who_has_too_many_is_told_when_to_come_again() -> None:
    async def work() -> None:
        served = asyncio.Event()

        async def serve(_request: Request) -> Answer:
            await served.wait()
            return Reply(200, b"")

        filters = Filters(Alice(), allowed, Fairness(Limits(1, 1, fair=False, streams=1)))
        handle = chained(filters, serve)
        for request in (asked(User("alice")), asked(User("alice"), verb="watch")):
            first = asyncio.ensure_future(handle(request))
            await asyncio.sleep(0)
            refused = await handle(request)
            served.set()
            assert isinstance(await first, Reply)
            served.clear()
            assert isinstance(refused, Status)
            assert refused.code == 429
            assert refused.details is not None
            assert refused.details.retry_after_seconds == 1

    in_loop(work)
