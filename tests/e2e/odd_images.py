"""Images whose users and entry files make a difference: for the proof that predictions hold."""

from __future__ import annotations

import os
import struct
import sys

from podward.runtime.images.building import build
from podward.runtime.images.store import ImageStore

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "examples", "images"))
from build_images import prepare

USERS = ("", "0", "1000", "1003:1004", "www-data", "www-data:1004", "user-defined-in-image", "12345")
ENTRIES = (
    "/bin/true",
    "/entry/root/true",
    "/entry/user/true",
    "/entry/group/true",
    "/entry/both/true",
    "/entry/capable/true",
    "/entry/inherits/true",
    "/entry/mixed/true",
    "/entry/script",
    "/entry/script-of-setuid",
    "/entry/private/true",
    "/entry/missing",
    "true",
)
"""Plain, setuid and setgid to root and to a user, with file capabilities, scripts, not executable by all, absent."""

_CONTAINERFILE = """FROM scratch
COPY rootfs/ /
COPY etc/ /etc/
COPY agnhost/passwd agnhost/group /etc/
COPY --chmod=4755 true /entry/root/
COPY --chmod=4755 --chown=1003:1004 true /entry/user/
COPY --chmod=2755 --chown=0:1004 true /entry/group/
COPY --chmod=6755 --chown=1003:1004 true /entry/both/
COPY --chmod=0755 true /entry/capable/
COPY --chmod=0755 true /entry/inherits/
COPY --chmod=4755 true /entry/mixed/
COPY --chmod=0700 true /entry/private/
COPY --chmod=0755 script /entry/
COPY --chmod=4755 script /entry/script-of-setuid
ENV PATH=/usr/bin:/bin
USER {user}
"""
_VOLUMES = """VOLUME ["/data", "/made/below/nothing", "/entry/root", "/home/../more"]
"""
"""For every other image: places that Pods mount over, an entry file's own, and some that the image lacks."""
_CAPABILITIES = {
    # cap_net_raw,cap_net_admin+ep; cap_net_raw,cap_chown+i; cap_chown+ep beside a setuid bit
    "capable": (0x02000001, 1 << 13 | 1 << 12, 0),
    "inherits": (0x02000000, 0, 1 << 13 | 1),
    "mixed": (0x02000001, 1, 0),
}


def build_all(store: ImageStore, directory: str) -> tuple[str, ...]:
    """Build an image for each of USERS in this store; returns their names."""
    context = f"{directory}/context"
    os.makedirs(context)
    prepare(context)
    with open(f"{context}/true", "wb") as target, open(f"{context}/rootfs/bin/busybox", "rb") as source:
        target.write(source.read())
    with open(f"{context}/script", "w", encoding="ascii") as script:
        script.write("#!/bin/true\n")
    names = []
    for number, user in enumerate(USERS):
        file = f"{directory}/Containerfile.{number}"
        with open(file, "w", encoding="ascii") as opened:
            opened.write(_CONTAINERFILE.format(user=user) if user else _CONTAINERFILE.replace("USER {user}\n", ""))
            opened.write(_VOLUMES if number % 2 else "")
        name = f"localhost/odd:{number}"
        build(store, file, context, name)
        names.append(name)
        _give_capabilities(store.resolve(name).rootfs)
    return tuple(names)


def _give_capabilities(rootfs: str) -> None:
    """Set the files' `security.capability`, which our builder's layers have no place for."""
    for name, (magic, permitted, inheritable) in _CAPABILITIES.items():
        value = struct.pack("<5I", magic, permitted, inheritable, 0, 0)
        os.setxattr(f"{rootfs}/entry/{name}/true", "security.capability", value)
