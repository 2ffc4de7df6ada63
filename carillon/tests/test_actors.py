"""Who asks is told in a header that holds any name."""

import pytest

from carillon.contracts.actors import NOBODY, Actor, read_actor, write_actor


@pytest.mark.parametrize("name", ["", "Marketing", "Größe & 50 %", "日本", "a b"])
def test_a_name_of_any_kind_gets_through(name: str) -> None:
    actor = Actor("key_0193f2c6a7b87d1e9c0a5b4d3e2f1a04", name)
    header = write_actor(actor)
    assert header.isascii()
    assert read_actor(header) == actor


@pytest.mark.parametrize("header", ["", " x", "key\n1", "a" * 65, "é", "<script> x"])
def test_what_is_no_actor_is_nobody(header: str) -> None:
    assert read_actor(header) == NOBODY


def test_a_name_is_bounded_and_printable() -> None:
    assert read_actor("key_1 a%00%0Ab" + "c" * 200) == Actor("key_1", "ab" + "c" * 98)
