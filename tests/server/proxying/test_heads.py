"""Which headers are passed on."""

from __future__ import annotations

from podward.server.proxying import heads

_SENT = [
    ("Host", "api"),
    ("Authorization", "Bearer secret"),
    ("Impersonate-User", "jane"),
    ("impersonate-extra-scopes", "view"),
    ("X-Remote-User", "admin"),
    ("X-Remote-Group", "system:masters"),
    ("Connection", "Upgrade, X-Mine"),
    ("Upgrade", "websocket"),
    ("X-Mine", "of this connection"),
    ("Sec-WebSocket-Protocol", "v4.channel.k8s.io, base64url.bearer.authorization.k8s.io.c2VjcmV0"),
    ("X-Forwarded-For", "10.0.0.1"),
    ("Accept", "a"),
    ("Accept", "b"),
    ("Content-Length", "3"),
    ("TE", "trailers"),
]


def test_credentials_and_callers_stay_here() -> None:
    for passed in (heads.of_request(_SENT, "10.0.0.2"), heads.of_upgrade(_SENT, "10.0.0.2")):
        text = repr(passed).lower()
        assert not any(word in text for word in ("secret", "c2vjcmv0", "impersonate", "remote", "authorization"))
        assert ("X-Forwarded-For", "10.0.0.1, 10.0.0.2") in passed
        assert [value for name, value in passed if name == "Accept"] == ["a", "b"]


def test_headers_of_the_connection_go_along_only_where_the_protocol_changes() -> None:
    plain = {name for name, _ in heads.of_request(_SENT, "")}
    assert plain == {"Accept", "Sec-WebSocket-Protocol", "X-Forwarded-For"}
    upgraded = dict(heads.of_upgrade(_SENT, ""))
    assert (upgraded["Upgrade"], upgraded["Sec-WebSocket-Protocol"]) == ("websocket", "v4.channel.k8s.io")


def test_a_token_alone_among_the_protocols_leaves_none() -> None:
    sent = [("Sec-WebSocket-Protocol", "base64url.bearer.authorization.k8s.io.c2VjcmV0")]
    assert [name for name, _ in heads.of_upgrade(sent, "")] == ["X-Forwarded-For"]


def test_another_server_does_not_say_who_may_read_our_answers() -> None:
    said = [
        ("Access-Control-Allow-Origin", "*"),
        ("Transfer-Encoding", "chunked"),
        ("X-Told", "1"),
        ("Connection", "x-told"),
    ]
    assert heads.of_answer(said) == []
    assert heads.of_answer(said[:3]) == [("X-Told", "1")]
