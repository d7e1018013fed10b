"""The text of a file that is edited: questions about its lines, and the replacements that are made in it.

Between nodes there are only white space, comments and punctuation, so a `#` there always starts a comment.
"""

from __future__ import annotations

from bisect import bisect_left
from re import compile as pattern

from podward.documents.editing.nodes import Alias, List, Map, Node, Scalar, UneditableError

_SPACE = " \t\r\n"
_BREAK = pattern("\n")


class SourceText:
    """A text and the replacements that are to be made in it; `newline` is the file's line break.

    The text ends with a line break, even if the file does not.
    """

    __slots__ = ("_breaks", "_cuts", "_end", "_unended", "newline", "text")

    def __init__(self, text: str) -> None:
        at = text.find("\n")
        self.newline = "\r\n" if at > 0 and text[at - 1] == "\r" else "\n"
        self.text = text if text.endswith("\n") else text + self.newline
        self._cuts: list[tuple[int, int, str]] = []
        self._end = len(text) if self.text != text else -1
        self._unended: int | None = None
        # Where each line ends: a file may be one line of megabytes, so no question may look through its line.
        self._breaks = [found.start() for found in _BREAK.finditer(self.text)]

    @property
    def untouched(self) -> bool:
        """Whether nothing was replaced."""
        return not self._cuts

    def cut(self, start: int, end: int, replacement: str) -> None:
        """Replace the text from `start` to `end`."""
        self._cuts.append((start, end, replacement))

    def seen(self, node: Scalar) -> None:
        """Remember a scalar that stays as it is.

        A block scalar at the end of a file without a last line break has no last line break in its value either.
        """
        if node.end == self._end and node.style in {"|", ">"}:
            self._unended = node.body

    def finished(self) -> str:
        """The text with all replacements made.

        Replacements at the same place keep the order in which `cut` was called. A replacement inside of a part that
        another one removes comes after that part. Raises UneditableError if two replacements overlap otherwise.
        """
        if self._unended is not None and any(start > self._end for start, _, _ in self._cuts):
            self._strip(self._unended)  # with text below it, its value would gain a line break
        parts: list[str] = []
        at = 0
        for start, end, replacement in sorted(self._cuts, key=lambda cut: cut[0]):
            if start < at < end and replacement:
                raise UneditableError("two of the changes meet in one place")
            if start >= at:
                parts.append(self.text[at:start])
            parts.append(replacement)
            at = max(at, end)
        return "".join((*parts, self.text[at:]))

    def _strip(self, at: int) -> None:
        """Make the block scalar whose header stands at `at` one that ends without a line break (`|-`)."""
        end = at + 1
        while self.text[end] in "+-123456789":
            end += 1
        self.cut(at, end, self.text[at:end].translate({ord("+"): None, ord("-"): None}) + "-")

    def line_start(self, at: int) -> int:
        """Where the line of `at` begins."""
        before = bisect_left(self._breaks, at)
        return self._breaks[before - 1] + 1 if before else 0

    def line_end(self, at: int) -> int:
        """Where the line of `at` ends, its line break excluded."""
        following = bisect_left(self._breaks, at)
        if following == len(self._breaks):
            return len(self.text)
        end = self._breaks[following]
        return end - 1 if end > at and self.text[end - 1] == "\r" else end

    def next_line(self, at: int) -> int:
        """Where the line after that of `at` begins."""
        following = bisect_left(self._breaks, at)
        return self._breaks[following] + 1 if following < len(self._breaks) else len(self.text)

    def column(self, at: int) -> int:
        """How many characters of its line stand before `at`."""
        return at - self.line_start(at)

    def indent(self, at: int) -> str:
        """The white space that the line of `at` begins with."""
        start = self.line_start(at)
        end = start
        while self.text[end : end + 1] in {" ", "\t"}:
            end += 1
        return self.text[start:end]

    def starts_line(self, at: int) -> bool:
        """Whether only white space stands before `at` on its line."""
        start = self.line_start(at)
        while start < at and self.text[start].isspace():
            start += 1
        return start == at

    def ends_line(self, at: int) -> bool:
        """Whether only white space and a comment follow on the line."""
        end = self.line_end(at)
        while at < end and self.text[at].isspace():
            at += 1
        return at >= end or self.text[at] == "#"

    def same_line(self, one: int, other: int) -> bool:
        """Whether both are on one line."""
        return bisect_left(self._breaks, one) == bisect_left(self._breaks, other)

    def past_space(self, at: int) -> int:
        """The offset of the first character from `at` on that is neither white space nor in a comment."""
        while at < len(self.text):
            if self.text[at] == "#":
                at = self.line_end(at)
            elif self.text[at] in _SPACE:
                at += 1
            else:
                break
        return at

    def colon(self, key: Scalar | Alias) -> int:
        """Where the `:` after a key stands. Raises UneditableError if the key is one with `?`."""
        at = self.past_space(key.end)
        if self.text[at : at + 1] != ":" or not self.same_line(key.end, at):
            raise UneditableError("a key is written with `?`")
        return at

    def dashes(self, node: List) -> list[int]:
        """Where each item's dash stands in a list that is written with dashes."""
        found: list[int] = []
        at = node.body
        for item in node.items:
            found.append(self.past_space(at))
            at = max(self.content_end(item), found[-1] + 1)
        return found

    def content_end(self, node: Node) -> int:
        """Where the node's content ends, without the comments and empty lines after it."""
        if isinstance(node, Scalar) and node.style in {"|", ">"}:
            return self._block_scalar_end(node)
        if isinstance(node, Map) and not node.flow:
            last = node.entries[-1]
            if isinstance(last.value, Scalar) and last.value.start == last.value.end:
                return self.colon(last.key) + 1
            return self.content_end(last.value)
        if isinstance(node, List) and not node.flow:
            return self.content_end(node.items[-1])
        return node.end

    def _block_scalar_end(self, node: Scalar) -> int:
        header = self.text[node.body : self.line_end(node.body)].partition("#")[0]
        written = self.text[node.body : node.end]
        if "+" in header and written.endswith("\n"):
            return node.end - (2 if written.endswith("\r\n") else 1)
        return node.body + len(written.rstrip())
