"""CRI v1 messages of the image service.

Field names are those of the protocol's JSON form (`runtime.v1`), as in `api.cri`.
"""

from __future__ import annotations

from podward.api.cri import Message


class AuthConfig(Message, frozen=True):
    """Credentials for a registry, as PullImage brings them. Its text never shows a secret."""

    username: str = ""
    password: str = ""
    auth: str = ""
    server_address: str = ""
    identity_token: str = ""
    registry_token: str = ""

    def __repr__(self) -> str:
        return f"AuthConfig(username={self.username!r}, server_address={self.server_address!r}, …)"


class ImageStatus(Message, frozen=True):
    """An image in the store (the protocol's `Image`).

    `id` is the digest of its config: PullImage's `imageRef`, and the `imageId` of its containers. `size` is what its
    files and blobs take of the disk, in bytes. It has a `uid` or a `username`, or neither.
    """

    id: str
    size: int
    repo_tags: tuple[str, ...] = ()
    repo_digests: tuple[str, ...] = ()
    uid: int | None = None
    username: str = ""
    pinned: bool = False


class FilesystemUsage(Message, frozen=True):
    """What images take of the file system that holds them; `timestamp` is in nanoseconds."""

    timestamp: int
    mountpoint: str
    used_bytes: int
    inodes_used: int
