"""Providers made of accounts: from their own settings, and never from the operator's secrets."""

from collections.abc import Callable
from typing import Any

import pytest

from carillon.contracts.provider_accounts import ACCOUNT_SHAPES
from carillon.settings import Environment, GivenSettings, SettingsError
from carillon.worker.accounts.making import AccountProviders, UnusableProvider
from carillon.worker.accounts.setup import account_setup
from carillon.worker.rate_limit import Rate
from carillon.worker.tests.accounts.doubles import SECRET, account
from carillon.worker.tests.doubles import RecordingProvider

OPERATORS = "SG.the-operators-own-key-0123456789"


def reading(seen: dict[str, str], *names: str) -> Callable[[Environment], Any]:
    def make(env: Environment) -> RecordingProvider:
        seen.update({name: env.text(name, "") for name in names})
        return RecordingProvider("sendgrid")

    return make


def env(**values: str) -> GivenSettings:
    return GivenSettings({"ENVIRONMENT": "local", **values})


def test_an_account_brings_its_secrets_and_the_operator_the_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SENDGRID_API_KEY", OPERATORS)
    monkeypatch.setenv("SENDGRID_RECEIPTS", "true")
    monkeypatch.setenv("EMAIL_FROM", "Operator <operator@carillon.test>")
    seen: dict[str, str] = {}
    names = ("SENDGRID_API_KEY", "EMAIL_FROM", "SENDGRID_URL", "SENDGRID_RECEIPTS")
    operators = env(
        SENDGRID_URL="http://127.0.0.1:9", SENDGRID_API_KEY=OPERATORS, SENDGRID_RECEIPTS="true"
    )
    providers = AccountProviders({"sendgrid": reading(seen, *names)}, operators)
    providers.make(account())
    assert seen == {
        "SENDGRID_API_KEY": SECRET,
        "EMAIL_FROM": "Acme <hello@acme.example>",
        "SENDGRID_URL": "http://127.0.0.1:9",
        # Its reports are signed with the account's key, which the gateway does not have.
        "SENDGRID_RECEIPTS": "",
    }


@pytest.mark.parametrize(
    ("settings", "public_only"),
    [
        ({"ENVIRONMENT": "production"}, "true"),
        ({"ENVIRONMENT": "local"}, "false"),
        ({"ENVIRONMENT": "local", "PROVIDER_ACCOUNTS_PRIVATE_HOSTS": "false"}, "true"),
        ({"ENVIRONMENT": "production", "PROVIDER_ACCOUNTS_PRIVATE_HOSTS": "true"}, "false"),
    ],
)
def test_a_client_names_no_host_inside_unless_the_operator_allows_it(
    settings: dict[str, str], public_only: str
) -> None:
    seen: dict[str, str] = {}
    factory = reading(seen, "SMTP_PUBLIC_ONLY")
    AccountProviders({"sendgrid": factory}, GivenSettings(settings)).make(account())
    assert seen == {"SMTP_PUBLIC_ONLY": public_only}


@pytest.mark.parametrize(
    ("declared", "asked", "rate"),
    [
        (0.0, None, None),
        (10.0, None, Rate(10.0, 10)),
        (10.0, 0.0, None),
        (10.0, 0.5, Rate(0.5, 1)),
    ],
)
def test_a_rate_is_what_the_account_says_else_what_the_provider_declares(
    declared: float, asked: float | None, rate: Rate | None
) -> None:
    provider = RecordingProvider("sendgrid")
    provider.capabilities = type(provider.capabilities)(rate_per_second=declared)
    providers = AccountProviders({"sendgrid": lambda _env: provider}, env())
    assert providers.make(account(rate_per_second=asked)).rate == rate


def _bad_setting(_env: Environment) -> Any:
    raise SettingsError("SENDGRID_API_KEY", f"is wrong: {SECRET}", "x")


def _bug(_env: Environment) -> Any:
    raise RuntimeError(SECRET)


@pytest.mark.parametrize(
    ("known", "fields"),
    [
        ({}, {}),
        ({"sendgrid": _bad_setting}, {}),
        ({"sendgrid": _bug}, {}),
        ({"sendgrid": _bug}, {"credentials": {}}),
        ({"sendgrid": _bug}, {"sender": f"{SECRET}\r\nBcc: x"}),
        ({"sendgrid": _bug}, {"provider": "nobody"}),
        ({"console": _bug}, {"provider": "console"}),
    ],
)
def test_an_unusable_account_stops_nothing_and_its_secret_is_not_logged(
    known: Any, fields: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    made = AccountProviders(known, env()).make(account(**fields))
    assert isinstance(made.provider, UnusableProvider)
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err


def test_no_text_of_an_account_holds_its_secret() -> None:
    assert SECRET not in f"{account()!r} {account()} {(account(),)}"


@pytest.mark.parametrize(
    "settings",
    [{}, {"GATEWAY_URL": "http://127.0.0.1:1"}, {"INTERNAL_API_SECRET": "s3cr3t-enough-0123456"}],
)
def test_without_the_gateway_only_the_platforms_own_are_used(settings: dict[str, str]) -> None:
    assert account_setup({}, env(**settings)) is None


def test_with_both_settings_the_gateway_is_asked() -> None:
    settings = {"GATEWAY_URL": "http://127.0.0.1:1", "INTERNAL_API_SECRET": "s3cr3t-enough-0123456"}
    assert account_setup({}, env(**settings)) is not None


def test_every_secret_of_the_table_is_told_apart_from_what_is_shown() -> None:
    for shapes in ACCOUNT_SHAPES.values():
        for shape in shapes.values():
            assert any(field.secret for field in shape.credentials)
            # The operator's part never has a secret.
            assert not {f.setting for f in shape.credentials} & set(shape.operators)
