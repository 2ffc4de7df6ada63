"""What the gateway needs to know of a user and of a template: the internal APIs' typed answers.

The owning service makes them and caches them; the gateway reads them.
"""

from typing import Any

import msgspec

from carillon.contracts.messages import DeliveryPolicy, ProviderTemplate, PushUrgency


class DeviceRecord(msgspec.Struct, frozen=True):
    """A device that may receive push notifications."""

    device_id: str
    platform: str
    token: str


class UserRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A user as a recipient. `revision` grows with every change and orders cache writes.

    `preferences` and `categories` are what the user said; what the organization decided for those
    who said nothing is in its PolicyRecord.
    """

    user_id: str
    revision: int
    external_id: str = ""
    email: str = ""
    name: str = ""
    phone_number: str = ""
    language: str = ""
    timezone: str = ""
    attributes: dict[str, Any] = {}
    devices: tuple[DeviceRecord, ...] = ()
    preferences: dict[str, bool] = {}
    categories: dict[str, dict[str, bool]] = {}
    quiet_hours: dict[str, Any] = {}
    # Channels on which the user's address is suppressed: nothing is sent there.
    suppressed: dict[str, str] = {}


class CategoryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """What an organization decided for one category of its notifications.

    `preferences` has the channels that are on or off unless the user says otherwise. At most
    `cap_limit` notifications in `cap_seconds` reach a user; 0 is no cap. What is `essential`
    reaches everybody.
    """

    essential: bool = False
    preferences: dict[str, bool] = {}
    cap_limit: int = 0
    cap_seconds: int = 0


class PolicyRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What an organization decided for all of its users; `preferences` as in CategoryPolicy."""

    organization_id: str
    revision: int
    preferences: dict[str, bool] = {}
    categories: dict[str, CategoryPolicy] = {}


class SuppressionRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Whether an address gets nothing on a channel; `reason` says why, empty if it does."""

    revision: int
    reason: str = ""


class PublishedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A template's published content in one language."""

    version: int
    subject: str = ""
    content: str = ""
    html_content: str = ""
    variables: tuple[str, ...] = ()
    optional_variables: tuple[str, ...] = ()
    # Of WhatsApp: its values are texts of ours, still to be rendered.
    provider_template: ProviderTemplate | None = None


class FallbackRule(msgspec.Struct, frozen=True, kw_only=True):
    """The template that says it on another channel, once, where this one did not arrive."""

    channel: str
    template_code: str


class PushDelivery(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """How a push is delivered; the fields are those of PushContent, and mean the same."""

    collapse_key: str = ""
    ttl: int | None = None
    priority: PushUrgency | None = None


class TemplateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A template with what is published of it, by language (BCP 47).

    `revision` grows with every change and orders cache writes.
    """

    template_id: str
    code: str
    type: str
    revision: int
    default_language: str
    languages: dict[str, PublishedVersion]
    category: str = ""
    delivery: DeliveryPolicy = DeliveryPolicy.AT_LEAST_ONCE
    # Of emails, by our own links: for providers that tell of neither.
    track_opens: bool = False
    track_clicks: bool = False
    # Seconds for the provider's receipt, then another provider sends it once, or the fallback where
    # there is one; 0 waits for ever.
    expect_receipt_within: int = 0
    fallback: FallbackRule | None = None
    push: PushDelivery | None = None

    def in_language(self, *preferred: str) -> tuple[str, PublishedVersion] | None:
        """The first match of `preferred`, each falling back pt-BR -> pt, then the default.

        None where nothing is published in any of them.
        """
        by_lower = {tag.lower(): tag for tag in self.languages}
        for tag in (*preferred, self.default_language):
            subtags = tag.lower().split("-")
            while subtags:
                found = by_lower.get("-".join(subtags))
                if found is not None:
                    return found, self.languages[found]
                subtags.pop()
        return None
