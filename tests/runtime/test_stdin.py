"""Standard input on its way to a container: everything, in order, and its end."""

from __future__ import annotations

import os
import select

import pytest

from podward.runtime.event_loop import EventLoop
from podward.runtime.stdin import END_OF_INPUT, ContainerInput, StandardInput


class Passage:
    """A pipe that is the caller's, and one that is the container's."""

    def __init__(self, *, terminal: bool = False) -> None:
        self.loop = EventLoop()
        source, self.ours = os.pipe()
        self.theirs, target = os.pipe()
        self.input = ContainerInput(target, terminal=terminal)
        self.feed = StandardInput(self.loop, source)
        self.feed.give_to(self.input)

    def until(self, size: int) -> bytes:
        """What the container reads, until it has this much or the end."""
        found = b""
        while len(found) < size:
            self.loop.turn(due=0.0)
            if select.select([self.theirs], [], [], 0)[0]:
                data = os.read(self.theirs, 1 << 20)
                if not data:
                    break
                found += data
        return found


def test_more_than_a_pipe_holds_arrives_in_order() -> None:
    passage = Passage()
    sent = os.urandom(300_000)
    child = os.fork()
    if child == 0:
        with open(passage.ours, "wb") as pipe:
            pipe.write(sent)
        os._exit(0)
    os.close(passage.ours)
    assert passage.until(400_000) == sent, "and then the end, for which it waits"
    assert passage.input.descriptor == -1
    os.waitpid(child, 0)


@pytest.mark.parametrize(("sent", "mark"), [(b"line\n", 1), (b"half", 2)])
def test_a_terminal_is_told_the_end(sent: bytes, mark: int) -> None:
    passage = Passage(terminal=True)
    os.write(passage.ours, sent)
    os.close(passage.ours)
    assert passage.until(99) == sent + END_OF_INPUT * mark


def test_a_container_that_reads_no_more_ends_it() -> None:
    passage = Passage()
    os.close(passage.theirs)
    os.write(passage.ours, b"x")
    for _ in range(3):
        passage.loop.turn(due=0.0)
    assert passage.input.descriptor == -1


def test_the_next_run_gets_what_comes_then() -> None:
    passage = Passage()
    os.write(passage.ours, b"one")
    assert passage.until(3) == b"one"
    passage.feed.take_back()
    passage.input.close()
    passage.theirs, target = os.pipe()
    passage.feed.give_to(ContainerInput(target, terminal=False))
    os.write(passage.ours, b"two")
    assert passage.until(3) == b"two"
