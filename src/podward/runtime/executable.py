"""What the first bytes and the attributes of a file say about executing it, as the kernel reads them.

Linux 6.18 `fs/binfmt_script.c`, `fs/binfmt_elf.c` (elf(5)), `struct vfs_ns_cap_data` (capabilities(7)). Everything read
is bounded, whatever the file says.
"""

from __future__ import annotations

import os
import struct

from podward.api.image import FileCapabilities
from podward.errors import ImageError

FIRST_BYTES = 256
"""Linux `BINPRM_BUF_SIZE`: how much of a file tells what it is."""
PROGRAM_HEADERS = 65536
LONGEST_PATH = 4096
CAPABILITY = "security.capability"
REVISION_MASK, REVISIONS, EFFECTIVE = 0xFF000000, {0x01000000: 12, 0x02000000: 20, 0x03000000: 24}, 1
ELF_MACHINES = {"x86_64": (3, 62), "aarch64": (40, 183)}
PT_INTERP = 3


def script_interpreter(start: bytes) -> bytes | None:
    """The path in a `#!` line, given a file's first 256 bytes; None where the kernel finds none (`load_script`).

    A file that ends, or has a NUL byte, where the path should be names the empty path.
    """
    line = start[2:FIRST_BYTES].split(b"\0")[0]
    line, newline, _ = line.partition(b"\n")
    words = line.replace(b"\t", b" ").lstrip(b" ").split(b" ")
    ends = newline or len(start) < FIRST_BYTES or b"\0" in start
    if not ends and len(words) == 1:
        return None  # the path's end is not in sight, so it may be longer
    if words[0]:
        return words[0]
    blank = newline or (len(start) >= FIRST_BYTES - 1 and b"\0" not in start[: FIRST_BYTES - 1])
    return None if blank else b""


def runs_here(start: bytes) -> bool:
    """Whether a program with this ELF header is for this machine's processor, as far as we know the processor."""
    machines = ELF_MACHINES.get(os.uname().machine, ())
    if len(start) < 64:
        return False
    (machine,) = struct.unpack_from("<H", start, 18)
    return not machines or machine in machines


def elf_loader(opened: int, start: bytes) -> bytes:
    """The path of the dynamic loader that a little-endian program of 32 or 64 bits names; empty if none (elf(5))."""
    wide = start[4] == 2
    offset, size, count = struct.unpack_from("<Q14xHH" if wide else "<L10xHH", start, 32 if wide else 28)
    if size != (56 if wide else 32) or size * count > PROGRAM_HEADERS or offset >= 1 << 62:
        return b""
    headers = os.pread(opened, size * count, offset)
    for at in range(0, len(headers) - size + 1, size):
        kind, where, length = _program_header(headers, at, wide=wide)
        if kind == PT_INTERP and 2 <= length <= LONGEST_PATH and where < 1 << 62:
            return os.pread(opened, length, where).split(b"\0")[0]
    return b""


def _program_header(headers: bytes, at: int, *, wide: bool) -> tuple[int, int, int]:
    kind, where, length = struct.unpack_from("<L4xQ16xQ" if wide else "<LL8xL", headers, at)
    return int(kind), int(where), int(length)


def other_formats() -> bool:
    """Whether this machine has been told of more formats (binfmt_misc): then what is no program here may still run."""
    try:
        return len(os.listdir("/proc/sys/fs/binfmt_misc")) > 2
    except OSError:
        return False


def parse_capabilities(value: bytes, place: str) -> FileCapabilities:
    """A `security.capability` attribute of version 1, 2 or 3 (Linux `struct vfs_ns_cap_data`).

    Raises ImageError naming `place` where it is neither.
    """
    magic = struct.unpack_from("<I", value)[0] if len(value) >= 4 else 0
    if REVISIONS.get(magic & REVISION_MASK) != len(value):
        raise ImageError(
            f"the {CAPABILITY} attribute of {place} is malformed",
            where=place,
            advice="set it again with setcap(8), or remove it with setcap -r",
        )
    words = struct.unpack_from(f"<{len(value) // 4}I", value)
    permitted, inheritable = words[1], words[2]
    if len(words) > 3:
        permitted, inheritable = permitted | words[3] << 32, inheritable | words[4] << 32
    root = words[5] if len(words) > 5 else None
    return FileCapabilities(permitted, inheritable, bool(magic & EFFECTIVE), root)
