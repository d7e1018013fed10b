"""Manifests from a URL: http and https alone, bounded in size and in time.

A redirect leads to http or https, never from https back to http. The environment's proxies count (`https_proxy`).
A server that never ends its answer is left behind after `SECONDS`: reading happens in a thread that nobody waits for.
"""

from __future__ import annotations

import http.client
import threading
import urllib.error
import urllib.request
from typing import IO
from urllib.parse import urlsplit

from podward import __version__
from podward.errors import InputError, LimitError

SECONDS = 30
"""The longest time until the whole answer is there."""
_RAW = "name the address of the file itself: a page that shows a file is no manifest"
_ADVICE = "is the address right, and does the server answer? `curl -fL URL` shows what it says"


def content(url: str, largest: int) -> bytes:
    """What the server gives for this URL. Raises InputError where that is no file of at most `largest` bytes."""
    _require_plain(url)
    answers: list[bytes | Exception] = []
    thread = threading.Thread(target=_read, args=(url, largest, answers), daemon=True)
    thread.start()
    thread.join(SECONDS)
    if not answers:
        raise LimitError(f"the server did not give the file within {SECONDS} seconds", where=url, advice=_ADVICE)
    answer = answers[0]
    if isinstance(answer, InputError):
        raise answer
    if isinstance(answer, Exception):
        raise InputError(f"cannot fetch it: {_reason(answer)}", where=url, advice=_ADVICE) from answer
    if len(answer) > largest:
        raise LimitError(f"larger than {largest >> 20} MiB", where=url, advice="split it into smaller files")
    return answer


def _require_plain(url: str) -> None:
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError as error:
        raise InputError(f"not a URL: {error}", where=repr(url)) from error
    if not named or not url.isascii() or not url.isprintable() or " " in url:
        raise InputError("not a URL of a file", where=repr(url), advice="write https://HOST/PATH, escaped as URLs are")
    if parts.username is not None or parts.password is not None:
        host = parts.netloc.rpartition("@")[2]
        raise InputError(
            "a URL with a user or a password would be told wherever the file is cited",
            where=f"{parts.scheme}://…@{host}",
            advice="fetch the file yourself, and name the file",
        )


def _read(url: str, largest: int, answers: list[bytes | Exception]) -> None:
    """Put the answer, or what went wrong, into the list."""
    try:
        request = urllib.request.Request(url, headers={"User-Agent": f"podward/{__version__}"})  # noqa: S310 - checked
        with _opener().open(request, timeout=SECONDS) as answer:
            if answer.headers.get_content_type() in ("text/html", "application/xhtml+xml"):
                raise InputError("it is a web page, no manifest", where=url, advice=_RAW)  # noqa: TRY301 - told by the caller
            answers.append(answer.read(largest + 1))
    except Exception as error:  # noqa: BLE001 - whatever it is, the caller tells it
        if isinstance(error, urllib.error.HTTPError):
            error.close()
        answers.append(error)


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follow redirects to http and https only, and none from https to http."""

    def redirect_request(  # noqa: PLR0913, PLR0917 - as the library calls it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        """The request that follows. Raises URLError for another scheme."""
        allowed = ("https",) if req.type == "https" else ("http", "https")
        if urlsplit(newurl).scheme not in allowed:
            fp.close()
            raise urllib.error.URLError(f"it leads to {newurl[:200]!r}, which is not {' or '.join(allowed)}")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """What opens http and https, and no other scheme: no file, ftp or data."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def _reason(error: Exception) -> str:
    """Why it failed, in one line."""
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answers {error.code} {error.reason}"
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    words = reason.strerror if isinstance(reason, OSError) and reason.strerror else str(reason)
    return " ".join((words or type(reason).__name__).split()).lower()
