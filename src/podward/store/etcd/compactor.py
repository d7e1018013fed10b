"""Compaction of an etcd that several servers use: one of them does it, without any of them being the one.

As kube-apiserver has it (storage/etcd3/compact.go, in our words): a key counts the compactions by its version. Each
server remembers the count and the revision of one interval ago. Whose count is still right raises it and compacts to
that revision; the others learn the count, and try again an interval later.
"""

from __future__ import annotations

from podward.store.etcd import messages
from podward.store.etcd.client import Client


class Compactor:
    """One server's part. `key` is the same for all of them."""

    def __init__(self, client: Client, key: bytes) -> None:
        self._client = client
        self._key = key
        self._count = 0

    async def step(self, before: int) -> int:
        """Compact to this revision if it is our turn; the revision of now. Raises StoreError."""
        request = messages.txn_request(
            messages.if_version_is(self._key, self._count),
            (messages.put(self._key, str(before).encode()),),
            (messages.look(self._key),),
        )
        answer = await self._client.write(messages.TXN, request, messages.txn_response)
        if not answer.succeeded:
            self._count = answer.found[0][0].version if answer.found[0] else 0
            return answer.revision
        self._count += 1
        await self._client.compact(before)
        return answer.revision
