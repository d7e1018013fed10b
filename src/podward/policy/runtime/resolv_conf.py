"""What is in a Pod's /etc/resolv.conf.

Specification (containerd 2 `setupSandboxFiles` and `parseDNSOptions`, in our words): without a `dns_config` in the
message the node's file is taken as it is. With one the file has the search domains, then the nameservers, then the
options; one that says nothing makes an empty file.

Ours: a word with white space in it would be more than one word to a resolver; it is left out.
"""

from __future__ import annotations

from podward.api.cri import DNSConfig


def text(config: DNSConfig | None, of_node: str) -> str:
    """The file's content; `of_node` is that of this machine."""
    if config is None:
        return of_node
    lines = [f"nameserver {server}" for server in _words(config.servers)]
    for name, words in (("search", _words(config.searches)), ("options", _words(config.options))):
        if words:
            lines.insert(0 if name == "search" else len(lines), " ".join((name, *words)))
    return "".join(f"{line}\n" for line in lines)


def _words(given: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in given if [word] == word.split())
