"""Finding the entry file: as the kernel will find it, and never outside the container's root."""

from __future__ import annotations

import os
import shutil
import stat
import struct
import subprocess

import pytest

from podward.api.image import EntryFile, FileCapabilities
from podward.errors import ImageError
from podward.runtime import executable
from podward.runtime.entry import find_entry

pytestmark = pytest.mark.needs("root", "busybox")
PATH = "/usr/bin:/bin"


@pytest.fixture
def root(tmp_path: object) -> str:
    directory = f"{tmp_path}/rootfs"
    os.makedirs(f"{directory}/bin")
    os.makedirs(f"{directory}/usr/bin")
    shutil.copyfile(shutil.which("busybox") or "", f"{directory}/bin/sh")
    os.chmod(f"{directory}/bin/sh", 0o755)  # noqa: S103  # a program
    return directory


def script(root: str, path: str, text: str, mode: int = 0o755) -> None:
    os.makedirs(os.path.dirname(root + path), exist_ok=True)
    with open(root + path, "w", encoding="ascii") as file:
        file.write(text)
    os.chmod(root + path, mode)


def found(
    root: str, name: str, search: str = PATH, cwd: str = "/", mounts: tuple[tuple[str, str], ...] = ()
) -> EntryFile:
    entry = find_entry(root, name, search, cwd, mounts)
    assert entry is not None
    return entry


def test_a_name_is_searched_for_an_executable_file(root: str) -> None:
    script(root, "/usr/bin/tool", "#!/bin/sh\n", 0o644)
    script(root, "/bin/tool", "#!/bin/sh\n", 0o100)
    os.makedirs(f"{root}/first/tool")
    assert found(root, "tool", "/first:/missing:" + PATH).path == "/bin/tool"
    os.remove(f"{root}/bin/tool")
    assert found(root, "tool").path == "/usr/bin/tool"
    assert find_entry(root, "none", PATH, "/") is None
    assert find_entry(root, "tool", "", "/usr/bin") is None


def test_a_path_is_taken_from_the_working_directory(root: str) -> None:
    assert found(root, "./sh", cwd="/bin").path == "/bin/sh"
    assert found(root, "../bin/sh", cwd="/usr").path == "/bin/sh"
    assert found(root, "bin/../../../bin/sh").path == "/bin/sh"
    assert find_entry(root, "/bin/sh/", PATH, "/") is None
    assert find_entry(root, "", PATH, "/") is None
    assert find_entry(root, "/bin/sh\0", PATH, "/") is None


def test_links_stay_inside_the_root(root: str) -> None:
    os.symlink("/bin/sh", f"{root}/usr/bin/absolute")
    os.symlink("../../bin/sh", f"{root}/usr/bin/relative")
    os.symlink("../../../../../../../../bin/sh", f"{root}/usr/bin/above")
    os.symlink("/etc/passwd", f"{root}/usr/bin/host")
    os.symlink("usr", f"{root}/u")
    os.symlink("loop", f"{root}/bin/loop")
    os.symlink("/proc/self/root/bin/sh", f"{root}/bin/magic")
    for name in ("absolute", "relative", "above"):
        assert found(root, name).path == "/bin/sh"
    assert found(root, "/u/bin/absolute").path == "/bin/sh"
    for name in ("host", "loop", "magic"):
        assert find_entry(root, name, PATH, "/") is None


def test_forty_links_are_followed_and_no_more(root: str) -> None:
    os.symlink("/bin/sh", f"{root}/l0")
    for number in range(1, 41):
        os.symlink(f"l{number - 1}", f"{root}/l{number}")
    assert found(root, "/l39").path == "/bin/sh"
    assert find_entry(root, "/l40", PATH, "/") is None


def test_mounts_cover_what_is_below(root: str, tmp_path: object) -> None:
    volume = f"{tmp_path}/volume"
    script(volume, "/tool", "#!/bin/sh\n")
    os.symlink("/bin/sh", f"{volume}/shell")
    os.symlink("/etc", f"{volume}/out")
    os.symlink("/data", f"{root}/var")
    mounts = (("/data/deep/volume", volume),)
    assert found(root, "/data/deep/volume/tool", mounts=mounts).path == "/data/deep/volume/tool"
    assert found(root, "/data/deep/volume/shell", mounts=mounts).path == "/bin/sh"
    assert found(root, "/data/deep/volume/../../../bin/sh", mounts=mounts).path == "/bin/sh"
    assert found(root, "/var/deep/volume/tool", mounts=mounts).path == "/data/deep/volume/tool"
    assert find_entry(root, "/data/deep/volume/out/passwd", PATH, "/", mounts) is None
    assert find_entry(root, "/data/deep", PATH, "/", mounts) is None
    assert find_entry(root, "/bin/sh", PATH, "/", (("/bin", ""),)) is None
    assert find_entry(root, "/bin/sh", PATH, "/", (("/bin/sh", f"{volume}/tool"),)) is not None
    assert found(root, "/var/tool", mounts=(("/var", volume),)).path == "/data/tool"
    assert find_entry(root, "/data/deep/volume/tool", PATH, "/", (*mounts, ("/data", ""))) is None


def test_what_is_no_regular_file_is_never_opened(root: str) -> None:
    os.mkfifo(f"{root}/bin/fifo", 0o755)
    os.mknod(f"{root}/bin/device", 0o755 | stat.S_IFCHR, os.makedev(1, 5))
    assert stat.S_ISFIFO(found(root, "/bin/fifo").mode)
    assert stat.S_ISCHR(found(root, "/bin/device").mode)
    assert stat.S_ISDIR(found(root, "/bin").mode)
    assert find_entry(root, "fifo", PATH, "/") is None


def test_a_huge_file_is_read_at_its_start_only(root: str) -> None:
    script(root, "/bin/huge", "#!/bin/sh\n")
    os.truncate(f"{root}/bin/huge", 1 << 40)
    assert found(root, "huge").interpreter is not None


def test_mode_owner_and_capabilities_are_read(root: str) -> None:
    os.chown(f"{root}/bin/sh", 12, 34)
    os.chmod(f"{root}/bin/sh", 0o4750)  # noqa: S103  # that is what is read
    os.setxattr(f"{root}/bin/sh", executable.CAPABILITY, struct.pack("<6I", 0x03000001, 1, 2, 4, 8, 65536))
    entry = found(root, "sh")
    assert (stat.S_IMODE(entry.mode), entry.uid, entry.gid) == (0o4750, 12, 34)
    assert entry.capabilities == FileCapabilities(1 | 4 << 32, 2 | 8 << 32, effective=True, root_uid=65536)


@pytest.mark.parametrize("value", [b"", b"\1", bytes(20), struct.pack("<5I", 0x03000000, 0, 0, 0, 0), bytes(64)])
def test_a_malformed_capability_attribute_is_an_error_of_the_image(value: bytes) -> None:
    with pytest.raises(ImageError, match="malformed"):
        executable.parse_capabilities(value, "/bin/x")


def chain(root: str, length: int) -> None:
    """`s<length>` is a script for `s<length-1>`, and so on to `s0`, a script for /bin/sh."""
    script(root, "/s0", "#!/bin/sh\n")
    for number in range(1, length + 1):
        script(root, f"/s{number}", f"#!/s{number - 1}\n")


def test_a_chain_of_scripts_is_as_long_as_the_kernel_allows(root: str) -> None:
    chain(root, 6)
    for number in range(7):
        entry: EntryFile | None = found(root, f"/s{number}")
        errors = []
        while entry is not None:
            errors.append(entry.error)
            entry = entry.interpreter
        done = subprocess.run(("chroot", root, f"/s{number}"), capture_output=True, check=False)
        assert ("ELOOP" in errors) == (done.returncode != 0), (number, done)


LINES = (
    "#!/bin/sh",
    "#!/bin/sh\n",
    "#! /bin/sh\n",
    "#!\t/bin/sh -e\n",
    "#!/bin/sh\t-e\n",
    "#!\n",
    "#!  \n",
    "#!",
    "#!  ",
    "#!\0/bin/sh\n",
    "#!" + " " * 254,
    "#!" + " " * 253,
    "#!" + " " * 300,
    "#!" + " " * 250 + "\n",
    "#! /bin/sh " + " " * 300,
    "#!/bin/sh\0junk\n",
    "#!/bin/none\n",
    "#!bin/sh\n",
    "#!../bin/sh\n",
    "#!/bin/sh " + "x" * 400 + "\n",
    "#!/bin/sh " + "x" * 400,
    "#!" + " " * 300 + "/bin/sh\n",
    "#!/" + "/" * 300 + "bin/sh\n",
    "#!/" + "/" * 246 + "bin/sh\n",
    "#!/" + "/" * 245 + "bin/sh\n",
    "#!/" + "/" * 247 + "bin/sh\n",
    "#!/" + "/" * 248 + "bin/sh\n",
    "#!/" + "/" * 246 + "bin/sh ",
    "#!/" + "/" * 247 + "bin/sh",
    "\x7fELF",
    "\x7fELF" + "\0" * 100,
    "",
    "hello\n",
)


@pytest.mark.parametrize("text", LINES, ids=range(len(LINES)))
def test_a_first_line_is_read_as_the_kernel_reads_it(root: str, text: str) -> None:
    script(root, "/bin/entry", text)
    # The shell's own exit code 0 means that the kernel ran it; errors are chroot's 126 and 127.
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.chroot(root)
            os.chdir("/")
            os.execve("/bin/entry", ["/bin/entry"], {})  # noqa: S606  # no shell is meant
        except OSError as error:
            os.write(write, str(error.errno).encode())
        finally:
            os._exit(1)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        said = file.read()
    os.waitpid(child, 0)
    entry = found(root, "/bin/entry")
    kernel = os.strerror(int(said)) if said else ""
    names = {
        "": "",
        "ENOENT": "No such file or directory",
        "ENOEXEC": "Exec format error",
        "EACCES": "Permission denied",
    }
    assert names[entry.error] == kernel


def test_a_program_whose_loader_is_missing_is_told(root: str) -> None:
    shutil.copyfile(shutil.which("cat") or "", f"{root}/bin/cat")
    os.chmod(f"{root}/bin/cat", 0o755)  # noqa: S103  # a program
    assert found(root, "cat").error == "ENOENT"
    loader = executable.elf_loader(os.open(f"{root}/bin/cat", os.O_RDONLY), read_start(f"{root}/bin/cat")).decode()
    script(root, loader, "")
    assert found(root, "cat").error == ""


def test_a_program_of_another_machine_is_told(root: str) -> None:
    with open(f"{root}/bin/sh", "r+b") as file:
        file.seek(18)
        file.write(struct.pack("<H", 8))  # MIPS
    assert found(root, "sh").error == ("" if executable.other_formats() else "ENOEXEC")


@pytest.mark.parametrize("seed", range(40))
def test_damaged_programs_are_read_within_bounds(root: str, seed: int) -> None:
    start = bytearray(read_start(shutil.which("cat") or ""))
    start[24 + seed : 32 + seed] = b"\xff" * 8
    script(root, "/bin/damaged", "")
    with open(f"{root}/bin/damaged", "wb") as file:
        file.write(bytes(start) + os.urandom(4096))
    assert found(root, "damaged").error in ("", "ENOENT", "ENOEXEC")


def read_start(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read(executable.FIRST_BYTES)
