"""What etcd sends is decoded, whatever it is: cut short, odd, unknown."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podward.errors import StoreError
from podward.store.etcd import messages
from podward.store.etcd.messages import KeyValue, RangeResponse

# RangeResponse{header: {revision: 300}, kvs: [{key: "k", create: 2, mod: 300, version: 1, value: "v"}], count: 1}
RESPONSE = bytes.fromhex("0a0318ac02120d0a016b100218ac0220012a01762001")


def test_a_range_response_is_decoded() -> None:
    assert messages.range_response(RESPONSE) == RangeResponse(
        300, (KeyValue(b"k", 2, 300, 1, b"v"),), more=False, count=1
    )


def test_fields_that_nobody_knows_are_skipped() -> None:
    unknown = b"\x79" + b"x" * 8 + b"\x7d" + b"x" * 4 + b"\x7a\x01x" + b"\x78\x01"
    assert messages.range_response(unknown + RESPONSE) == messages.range_response(RESPONSE)


@pytest.mark.parametrize("size", range(1, len(RESPONSE)))
def test_what_is_cut_short_is_an_error_or_a_shorter_message(size: int) -> None:
    with contextlib.suppress(StoreError):
        assert messages.range_response(RESPONSE[:size]) != messages.range_response(RESPONSE)


@given(st.binary(max_size=60))
def test_no_bytes_lead_to_another_error(data: bytes) -> None:
    for decode in (messages.range_response, messages.txn_response, messages.watch_response):
        with contextlib.suppress(StoreError):
            decode(data)
