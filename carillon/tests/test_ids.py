"""Identifiers."""

import pytest

from carillon.contracts import ids


def test_ids_carry_their_noun_and_sort_by_time() -> None:
    made = [ids.new_id(ids.NOTIFICATION) for _ in range(50)]
    assert all(one.startswith("notif_") and len(one) == 38 for one in made)
    # Sixteen hex digits after the prefix hold the milliseconds and more.
    assert [one[:18] for one in made] == sorted(one[:18] for one in made)


def test_an_id_survives_the_round_trip() -> None:
    made = ids.new_id(ids.USER)
    value = ids.parse_id(ids.USER, made)
    assert value is not None
    assert value.version == 7
    assert ids.format_id(ids.USER, value) == made
    assert ids.uuid_of(ids.USER, made) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "notif_",
        "0193f2c6a7b87d1e9c0a5b4d3e2f1a00",
        "user_0193f2c6a7b87d1e9c0a5b4d3e2f1a00",
        "notif_0193F2C6A7B87D1E9C0A5B4D3E2F1A00",
        "notif_0193f2c6a7b87d1e9c0a5b4d3e2f1a0",
        "notif_0193f2c6a7b87d1e9c0a5b4d3e2f1a0g",
        "notif_0193f2c6-a7b8-7d1e-9c0a-5b4d3e2f1a00",
        "notif_" + "\u0660" * 32,
        "notif_{0193f2c6a7b87d1e9c0a5b4d3e2f1a}",
    ],
)
def test_what_is_not_an_id_is_none(text: str) -> None:
    assert ids.parse_id(ids.NOTIFICATION, text) is None
    with pytest.raises(ValueError, match="notif"):
        ids.uuid_of(ids.NOTIFICATION, text)
