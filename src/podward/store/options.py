"""What a server's options say of its store; commands read them without anything of the stores themselves."""

from __future__ import annotations

from msgspec import Struct

SQLITE = "sqlite"
INTERVAL = 300.0
"""Seconds from one compaction to the next; --etcd-compaction-interval of kube-apiserver."""
SECRETS = ("/registry/secrets/",)
"""The prefixes of what is encrypted by default."""


class Options(Struct, frozen=True):
    """`store` is `sqlite`, or `etcd://HOST:PORT` with more of them after commas; files are PEM, empty: none.

    An etcd is spoken to by TLS where a file of it is named. Without `key_file` it is `encryption.keys` in `data_dir`;
    several servers on one etcd need the same file. An interval of 0: no compaction by itself.
    """

    data_dir: str
    store: str = SQLITE
    etcd_prefix: str = "/podward"
    etcd_cafile: str = ""
    etcd_certfile: str = ""
    etcd_keyfile: str = ""
    compaction_interval: float = INTERVAL
    key_file: str = ""
    encrypted: tuple[str, ...] = SECRETS
