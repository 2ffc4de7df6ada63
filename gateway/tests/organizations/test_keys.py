"""The form of keys, without a server."""

import pytest

from carillon.contracts.messages import Mode
from carillon.observability.masking import mask_text
from gateway.organizations.keys import digest_of, new_key, prefix_of


@pytest.mark.parametrize("mode", Mode)
def test_a_key_has_a_public_prefix_and_256_secret_bits(mode: Mode) -> None:
    key = new_key(mode)
    head, name, public, secret = key.text.split("_", 3)
    assert (head, name, len(public), len(secret)) == ("org", mode.value, 10, 43)
    assert key.prefix == f"org_{mode.value}_{public}"
    assert prefix_of(key.text) == key.prefix
    assert key.digest == digest_of(key.text)
    assert len(key.digest) == 64


def test_no_two_keys_are_alike() -> None:
    keys = [new_key(Mode.LIVE) for _ in range(200)]
    assert len({key.prefix for key in keys}) == len({key.text for key in keys}) == 200


def test_a_key_is_not_shown_by_accident() -> None:
    key = new_key(Mode.LIVE)
    assert key.text not in repr(key)
    assert key.text not in f"{key}"
    assert key.text[-20:] not in mask_text(f"key {key.text} was sent")


@pytest.mark.parametrize(
    "change",
    [
        lambda _text: "",
        lambda text: text[:-1],
        lambda text: text + "A",
        lambda text: text.upper(),
        lambda text: text.replace("org_live", "org_prod"),
        lambda text: " " + text,
        lambda text: text + "\n",
        lambda text: text[:-1] + "é",
        lambda text: text[:-1] + "=",
        lambda text: text[:12] + "_" + text[13:],
    ],
)
def test_what_has_not_the_form_of_a_key_has_no_prefix(change) -> None:  # type: ignore[no-untyped-def]
    assert prefix_of(change("org_live_abcdefghij_" + "A" * 43)) is None
