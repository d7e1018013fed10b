"""Several layers of an image are fetched at the same time, as many as containerd does."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from threading import Thread

from podward.runtime.images.layout import Descriptor

AT_ONCE = 3
_LINGERING = 1.0
"""So many seconds a thread may take to notice that nobody wants its layer; after that it finds its directory gone."""


def fetch_all(layers: tuple[Descriptor, ...], fetch: Callable[[Descriptor], object], stop: Callable[[], None]) -> None:
    """Fetch each of the layers once. Raises what `fetch` raises first; `stop` then ends what is fetched beside it."""
    waiting = deque({layer.digest: layer for layer in layers}.values())
    count = len(waiting)
    ended: SimpleQueue[BaseException | None] = SimpleQueue()

    def work() -> None:
        while True:
            try:
                layer = waiting.popleft()
            except IndexError:
                return
            try:
                fetch(layer)
            except BaseException as error:  # noqa: BLE001  # it is raised where all meet
                ended.put(error)
            else:
                ended.put(None)

    threads = [Thread(target=work, name=f"fetch-{number}", daemon=True) for number in range(min(AT_ONCE, count))]
    for thread in threads:
        thread.start()
    try:
        for _ in range(count):
            _raise(ended.get())
    except BaseException:
        waiting.clear()
        stop()
        raise
    finally:
        for thread in threads:
            thread.join(_LINGERING)


def _raise(error: BaseException | None) -> None:
    if error is not None:
        raise error
