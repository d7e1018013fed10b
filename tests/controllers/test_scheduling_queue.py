"""Whose turn it is to be placed."""

from __future__ import annotations

import asyncio

from pods_and_nodes import pod

from podward.controllers.scheduling_queue import SchedulingQueue


async def _is_tried_again(concerned: str) -> bool:
    """Whether a Pod that did not fit is tried soon when a change that concerns a Pod of this name came meanwhile."""
    queue = SchedulingQueue()
    try:
        queue.put(pod("web"))
        taken, changes = await queue.next()
        queue.changed(lambda each: each.name == concerned)
        queue.failed(taken.uid, changes)
        try:
            await asyncio.wait_for(queue.next(), 1.5)
        except TimeoutError:
            return False
        return True
    finally:
        queue.close()


def test_a_change_meanwhile_is_a_reason_to_try_again_for_those_that_it_concerns() -> None:
    assert asyncio.run(_is_tried_again("web"))
    assert not asyncio.run(_is_tried_again("other"))
