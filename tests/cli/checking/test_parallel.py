"""Work shared between processes: the same answer by one and by several, and nothing left of those that fail."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence

import msgspec
import pytest

from podward.cli.checking import parallel
from podward.cli.checking.files import STDIN
from podward.cli.checking.parallel import in_parallel
from podward.cli.checking.workers import Channel, WorkerError, Workers

NAMES = tuple(f"file-{number}" for number in range(11))


class Counting:
    """Says of each file its name, how many files have policies, and who worked on it. Every third has one."""

    def __init__(self, names: Sequence[str] = NAMES) -> None:
        self.names = names
        self.read_here: list[int] = []
        self.policies: dict[int, bytes] = {}
        self.prepared: list[int] = []

    def prepare(self) -> None:
        self.prepared.append(os.getpid())

    def read(self, index: int) -> bytes:
        self.read_here.append(index)
        return b"" if index % 3 else self.names[index].encode()

    def set_policies(self, policies: dict[int, bytes]) -> None:
        self.policies = policies

    def process(self, index: int) -> tuple[str, list[str], int]:
        assert index in self.read_here, "it was read by the same process"
        return self.names[index], [found.decode() for found in self.policies.values()], os.getpid()

    def encode(self, results: list[tuple[str, list[str], int]]) -> bytes:
        return msgspec.msgpack.encode(results)

    def decode(self, message: bytes, indexes: Sequence[int]) -> list[tuple[str, list[str], int]]:
        came = msgspec.msgpack.decode(message, type=list[tuple[str, list[str], int]])
        assert [name for name, *_ in came] == [self.names[index] for index in indexes]
        return came


@pytest.mark.parametrize("count", [1, 2, 3, 11, 50])
def test_every_file_once_in_order_and_all_policies_in_theirs(count: int, children: Callable[[], list[int]]) -> None:
    came = in_parallel(NAMES, Counting(), count)
    assert [name for name, *_ in came] == list(NAMES)
    assert all(policies == ["file-0", "file-3", "file-6", "file-9"] for _, policies, _ in came)
    assert len({pid for *_, pid in came}) == min(count, len(NAMES))
    assert children() == []


@pytest.mark.parametrize("count", [1, 2, 3])
def test_what_every_process_needs_is_done_once_before_they_start(count: int) -> None:
    class Prepared(Counting):
        def process(self, index: int) -> tuple[str, list[str], int]:
            assert self.prepared == [parent] * (count > 1)
            return super().process(index)

    parent = os.getpid()
    assert len(in_parallel(NAMES, Prepared(), count)) == len(NAMES)


def test_standard_input_is_ours() -> None:
    names = ("a", "b", "c", STDIN)
    came = in_parallel(names, Counting(names), 2)
    assert [pid == os.getpid() for *_, pid in came] == [True, False, True, True]


def test_no_file_at_all_needs_no_process() -> None:
    assert in_parallel((), Counting(()), 4) == []


def test_where_no_process_can_be_made_one_does_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> Channel:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(Workers, "start", none)
    assert {pid for *_, pid in in_parallel(NAMES, Counting(), 4)} == {os.getpid()}


class Deadly(Counting):
    """Ends its process while it reads, settles or makes something."""

    def __init__(self, when: str, how: signal.Signals) -> None:
        super().__init__()
        self.when, self.how, self.parent = when, how, os.getpid()

    def _reach(self, when: str) -> None:
        if self.when == when and os.getpid() != self.parent:
            os.kill(os.getpid(), self.how)

    def read(self, index: int) -> bytes:
        self._reach("read")
        return super().read(index)

    def set_policies(self, policies: dict[int, bytes]) -> None:
        self._reach("settle")
        super().set_policies(policies)

    def encode(self, results: list[tuple[str, list[str], int]]) -> bytes:
        self._reach("send")
        return super().encode(results)


@pytest.mark.parametrize("when", ["read", "settle", "send"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_worker_that_dies_is_an_error_of_its_own_code(
    when: str, how: signal.Signals, children: Callable[[], list[int]]
) -> None:
    with pytest.raises(WorkerError, match="ended early") as caught:
        in_parallel(NAMES, Deadly(when, how), 3)
    assert caught.value.exit_code == 2
    assert children() == []


def test_a_worker_that_says_all_and_then_fails_is_an_error(
    monkeypatch: pytest.MonkeyPatch, children: Callable[[], list[int]]
) -> None:
    parent, run = os.getpid(), parallel._Worker.run  # noqa: SLF001  # its end

    def failing(worker: parallel._Worker[object], channel: Channel) -> None:
        run(worker, channel)
        assert os.getpid() != parent
        os._exit(3)

    monkeypatch.setattr(parallel._Worker, "run", failing)  # noqa: SLF001  # its end
    with pytest.raises(WorkerError, match="failed"):
        in_parallel(NAMES, Counting(), 2)
    assert children() == []


def test_what_we_raise_comes_through_and_ends_all(children: Callable[[], list[int]]) -> None:
    class Interrupted(Counting):
        def set_policies(self, policies: dict[int, bytes]) -> None:
            raise KeyboardInterrupt(len(policies))

    with pytest.raises(KeyboardInterrupt):
        in_parallel(NAMES, Interrupted(), 3)
    assert children() == []


def test_a_worker_whose_parent_is_gone_stops(monkeypatch: pytest.MonkeyPatch) -> None:
    work = Counting()
    worker = parallel._Worker(work, [0, 1, 2])  # noqa: SLF001  # a parent that dies would take the test with it
    monkeypatch.setattr(os, "getppid", lambda: 1)
    monkeypatch.setattr(os, "getpid", lambda: 2)
    with pytest.raises(WorkerError, match="nobody waits"):
        worker.run(Channel(-1, -1))
    assert work.read_here == []


def test_a_terminal_sees_how_far_it_is_and_a_pipe_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    steps: list[int] = []

    class Watched:
        def __init__(self, of: int) -> None:
            self.of = of

        def step(self) -> None:
            steps.append(self.of)

        def end(self) -> None:
            steps.append(-1)

    in_parallel(NAMES, Counting(), 2)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(parallel, "Progress", Watched)
    in_parallel(NAMES, Counting(), 2)
    assert steps == [12] * 12 + [-1]


@pytest.mark.parametrize(("count", "expected"), [(1, 1), (39, 1), (10_000, len(os.sched_getaffinity(0)))])
def test_few_files_are_not_worth_a_process(count: int, expected: int) -> None:
    assert parallel.worthwhile_processes(count) == expected
