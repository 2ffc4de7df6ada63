"""Masking and correlation ids."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carillon.observability.correlation import sane_or_new
from carillon.observability.masking import mask_event, mask_text

KEY = "org_live_abcdefgh12_" + "x" * 43


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("sent to jane.doe+x@example.co.uk", "sent to ja***@example.co.uk"),
        ("call +447700900003 now", "call +44***03 now"),
        ("call +44 7700 900-003 now", "call +44***03 now"),
        (f"key={KEY}", "key=org_live_***"),
        ("amqp://user:pass@host:5672/", "amqp://***@host:5672/"),
        ("organization org_0193f2c6 is fine", "organization org_0193f2c6 is fine"),
        ("1 + 1 = 2", "1 + 1 = 2"),
    ],
)
def test_text_is_masked(text: str, masked: str) -> None:
    assert mask_text(text) == masked


def test_secret_fields_are_masked_at_any_depth() -> None:
    event = {
        "event": "x",
        "password": "hunter22",
        "headers": {"X-API-Key": "abc", "list": [{"token": "t", "ok": 1}]},
        "error": ValueError("bob@example.com refused"),
        "count": 3,
    }
    masked = str(mask_event(None, "info", event))
    for secret in ("hunter22", "abc", "'t'", "bob@"):
        assert secret not in masked
    assert "'count': 3" in masked


@given(st.text(alphabet="abc123._%+-", min_size=3, max_size=20))
def test_no_ordinary_address_survives(local: str) -> None:
    assert f"{local}@example.com" not in mask_text(f"<{local}@example.com>")


@pytest.mark.parametrize("given_id", ["corr_1", "req-1.2:3", "A" * 64])
def test_a_sane_correlation_id_is_kept(given_id: str) -> None:
    assert sane_or_new(given_id) == given_id


@pytest.mark.parametrize(
    "given_id", [None, "", "A" * 65, "a b", "a\nb", "é", "<x>", "-x", "a\r\nX: y"]
)
def test_any_other_is_replaced(given_id: str | None) -> None:
    made = sane_or_new(given_id)
    assert made != given_id
    assert made.startswith("corr_")
