"""Parsing the names of images, as container runtimes do.

Specification (github.com/distribution/reference v0.6, `ParseDockerRef`, which containerd's CRI and Docker use; in our
words): a name is `[DOMAIN/]PATH[:TAG][@DIGEST]`.
- What stands before the first slash is the domain if it has a dot or a colon, or is `localhost`, or has a capital
  letter. Without a domain it is docker.io, and so is index.docker.io; there a path of one part is in `library/`.
- A path's parts, between slashes, are groups of a-z and 0-9, joined by one dot, one or two underscores, or any number
  of dashes. A tag is 1 to 128 of letters, digits, `_`, `.`, `-`, not beginning with the last two.
- Without tag and digest the tag is `latest`; with both, the tag is dropped: the digest says all.
- 64 hexadecimal digits are an image's id, never a name. Domain and path have at most 255 characters.

Of digests only sha256 is known here.
"""

from __future__ import annotations

from msgspec import Struct

from podward.errors import ImageError

LONGEST_REPOSITORY = 255
_HEX = frozenset("0123456789abcdef")
_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_UPPER = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_ALPHANUMERIC = _LOWER | _UPPER
_DIGITS = frozenset("0123456789")
_TAG = _ALPHANUMERIC | frozenset("_.-")
_SEPARATORS = ("__", "_", ".")
_LONGEST_TAG = 128


class Reference(Struct, frozen=True, gc=False):
    """A complete image name: exactly one of `tag` and `digest` is set."""

    domain: str
    path: str
    tag: str = ""
    digest: str = ""

    @property
    def repository(self) -> str:
        """Domain and path."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar(self) -> str:
        """The repository in its short form, without docker.io/ and library/."""
        if self.domain != "docker.io":
            return self.repository
        short = self.path.removeprefix("library/")
        return self.path if "/" in short else short

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag}"


def parse(name: str) -> Reference:
    """The complete name that `name` stands for. Raises ImageError if it is no image name."""
    if is_hex(name, 64):
        raise _invalid(name, "64 hexadecimal digits are an image's id", "write sha256: before it to mean an image's id")
    rest, at, digest = name.partition("@")
    if at and not is_digest(digest):
        raise _invalid(name, "its digest is not sha256: and 64 hexadecimal digits")
    domain, path = _split_domain(rest)
    path, colon, tag = path.partition(":")
    if path != path.lower():
        raise _invalid(name, "its repository must be in lower case")
    if not (_domain_ok(domain) and all(map(_part_ok, path.split("/")))):
        raise _invalid(name, "it has characters, or an order of them, that no image's name has")
    if colon and not tag_ok(tag):
        raise _invalid(name, "its tag must be up to 128 letters, digits, `_`, `.`, `-`, not beginning with `.` or `-`")
    if len(domain) + 1 + len(path) > LONGEST_REPOSITORY:
        raise _invalid(name, f"its repository is longer than {LONGEST_REPOSITORY} characters")
    return Reference(domain, path, "" if digest else tag or "latest", digest)


def is_digest(text: str) -> bool:
    """Whether this is `sha256:` and 64 hexadecimal digits, in lower case."""
    return text.startswith("sha256:") and is_hex(text[7:], 64)


def is_hex(text: str, length: int) -> bool:
    """Whether this is `length` hexadecimal digits, in lower case."""
    return len(text) == length and _HEX.issuperset(text)


def tag_ok(tag: str) -> bool:
    """Whether this is a valid tag."""
    return 0 < len(tag) <= _LONGEST_TAG and _TAG.issuperset(tag) and tag[0] not in ".-"


def _split_domain(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if not slash or not ("." in first or ":" in first or first == "localhost" or first != first.lower()):
        first, rest = "docker.io", name
    if first in ("index.docker.io", "docker.io"):
        first = "docker.io"
        if "/" not in rest:
            rest = f"library/{rest}"
    return first, rest


def _domain_ok(domain: str) -> bool:
    if domain.startswith("["):
        address, bracket, port = domain[1:].partition("]")
        hexadecimal = _HEX | frozenset("ABCDEF:")
        return bool(address and bracket) and hexadecimal.issuperset(address) and (not port or _port_ok(port))
    host, colon, number = domain.partition(":")
    return (not colon or _port_ok(colon + number)) and all(map(_label_ok, host.split(".")))


def _port_ok(port: str) -> bool:
    return len(port) > 1 and port[0] == ":" and _DIGITS.issuperset(port[1:])


def _label_ok(label: str) -> bool:
    return bool(label) and label[0] != "-" and label[-1] != "-" and _ALPHANUMERIC.issuperset(label.replace("-", ""))


def _part_ok(part: str) -> bool:
    """Whether a part of a path is alphanumeric groups with a separator between any two of them."""
    position, end = 0, len(part)
    while True:
        start = position
        while position < end and part[position] in _LOWER:
            position += 1
        if position == start:
            return False
        if position == end:
            return True
        if part[position] == "-":
            while position < end and part[position] == "-":
                position += 1
        else:
            separator = next((mark for mark in _SEPARATORS if part.startswith(mark, position)), "")
            if not separator:
                return False
            position += len(separator)


def _invalid(name: str, why: str, advice: str = "a name looks like registry.example.com/team/app:1.0") -> ImageError:
    return ImageError(f"{name!r} is not an image's name: {why}", advice=advice)
