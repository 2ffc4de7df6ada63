"""The gateway's own settings, read once into a frozen object."""

from dataclasses import dataclass

from carillon.contracts.channels import CHANNELS
from carillon.settings import Environment
from carillon.unsubscribe_links import SECRETS_EXAMPLE
from gateway.callbacks.config import CallbackSettings

AMQP_EXAMPLE = "amqp://guest:guest@127.0.0.1:5672/"


@dataclass(frozen=True, slots=True)
class Plan:
    """What an organization may do. `monthly_quota` None is unlimited."""

    requests_per_minute: int
    monthly_quota: int | None


@dataclass(frozen=True, slots=True)
class RecipientLimit:
    """How often one recipient may be sent to on one channel: `most` in `seconds`."""

    most: int
    seconds: int
    exempt_otp: bool


@dataclass(frozen=True, slots=True)
class Registration:
    """Whether organizations may sign themselves up: `most` in `seconds` per client address."""

    allowed: bool
    most: int
    seconds: int


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Addresses of the neighbours, and the limits."""

    rabbitmq_url: str
    user_service_url: str
    template_service_url: str
    # Where the public reaches the gateway, without a trailing slash.
    public_url: str
    link_secrets: tuple[str, ...]
    # The first encrypts provider accounts' credentials, all decrypt.
    credentials_keys: tuple[str, ...]
    plans: dict[str, Plan]
    recipient_limit: RecipientLimit
    registration: Registration
    # How long a rotated key goes on working, where the request says nothing.
    key_overlap_seconds: int
    # Bytes of the body of a bulk request.
    bulk_body_limit: int
    # Sent even where the user switched the channel off.
    essential_categories: frozenset[str]
    # The workers' own setting, by channel: a plan tells which providers would be tried.
    providers: dict[str, tuple[str, ...]]
    callbacks: CallbackSettings

    @classmethod
    def read(cls, env: Environment) -> "GatewaySettings":
        """Raises SettingsError."""
        http = ("http", "https")
        return cls(
            rabbitmq_url=env.url("RABBITMQ_URL", schemes=("amqp", "amqps"), example=AMQP_EXAMPLE),
            user_service_url=env.url(
                "USER_SERVICE_URL", schemes=http, example="http://127.0.0.1:8001"
            ),
            template_service_url=env.url(
                "TEMPLATE_SERVICE_URL", schemes=http, example="http://127.0.0.1:8002"
            ),
            public_url=env.url("PUBLIC_URL", schemes=http, example="https://notify.example.com"),
            link_secrets=env.secrets("LINK_SECRETS", example=SECRETS_EXAMPLE),
            credentials_keys=env.secrets("CREDENTIALS_KEYS", example=SECRETS_EXAMPLE),
            plans=_plans(env),
            recipient_limit=RecipientLimit(
                most=env.integer("RECIPIENT_LIMIT", 10, least=1),
                seconds=env.integer("RECIPIENT_LIMIT_SECONDS", 60, least=1, most=86_400),
                exempt_otp=env.flag("RECIPIENT_LIMIT_EXEMPTS_OTP", True),
            ),
            registration=Registration(
                allowed=env.flag("ALLOW_REGISTRATION", False),
                most=env.integer("REGISTRATION_LIMIT", 5, least=1),
                seconds=env.integer("REGISTRATION_LIMIT_SECONDS", 3_600, least=1, most=86_400),
            ),
            key_overlap_seconds=env.integer(
                "API_KEY_ROTATION_OVERLAP_SECONDS", 86_400, most=30 * 86_400
            ),
            bulk_body_limit=env.integer("BULK_BODY_LIMIT", 50_000_000, least=1_000_000),
            essential_categories=frozenset(
                env.names("ESSENTIAL_CATEGORIES", ("otp", "security", "transactional"))
            ),
            providers={
                name: env.names(f"{name.upper()}_PROVIDERS", channel.default_providers)
                for name, channel in CHANNELS.items()
            },
            callbacks=CallbackSettings.read(env),
        )


def _plans(env: Environment) -> dict[str, Plan]:
    return {
        "free": Plan(
            env.integer("PLAN_FREE_REQUESTS_PER_MINUTE", 60, least=1),
            env.integer("PLAN_FREE_MONTHLY_QUOTA", 1_000),
        ),
        "pro": Plan(
            env.integer("PLAN_PRO_REQUESTS_PER_MINUTE", 6_000, least=1),
            env.integer("PLAN_PRO_MONTHLY_QUOTA", 100_000),
        ),
        "enterprise": Plan(
            env.integer("PLAN_ENTERPRISE_REQUESTS_PER_MINUTE", 60_000, least=1),
            None,
        ),
    }
