"""Addresses as clients write them, brought to the one form that is stored and sent to."""

import re
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType, ValidationResult

# A local part of which nothing needs a second look: a dot-atom of RFC 5322, in ASCII.
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_PLAIN_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
# Bytes: RFC 5321, 4.5.3.1.1, and the erratum 1690 of RFC 3696.
_LOCAL_MOST, _EMAIL_MOST = 64, 254

# A leading plus, then digits of any script and the usual separators: no letters, no extensions.
_NUMBER = re.compile(r"\+[\d ().-]{4,30}")
_NUMBER_EXAMPLE = "Expected a number in E.164 form with its country code, such as +447700900003."


class InvalidAddress(ValueError):
    """No message can be sent there; the text says why and is meant for the client."""


def normalize_email(text: str) -> str:
    """The address in ASCII, at most 254 characters, its domain in lower case and IDNA 2008.

    The part before the @ keeps its case, which RFC 5321 calls the receiver's business. Refused:
    more than one address, display names, quoted or non-ASCII local parts (few providers take
    them), bare host names, and the domains that RFC 6761 reserves except `.test`, which the
    simulator uses. No DNS is asked. Raises InvalidAddress.
    """
    local, _, domain = text.rpartition("@")
    if domain.isascii() and len(local) <= _LOCAL_MOST and _PLAIN_LOCAL.fullmatch(local):
        known = _known_domain(domain)
        if known is not None and len(local) + 1 + len(known) <= _EMAIL_MOST:
            return f"{local}@{known}"
    try:
        return _checked(text)
    except EmailNotValidError as error:
        raise InvalidAddress(str(error)) from None


# The full check takes longer than all else that becomes of one recipient of a bulk request, and
# their domains are few.
@lru_cache(maxsize=4_096)
def _known_domain(domain: str) -> str | None:
    """The domain as it is stored; None where no address at it is good."""
    try:
        return _checked(f"a@{domain}").partition("@")[2]
    except EmailNotValidError:
        return None


def _checked(text: str) -> str:
    """Raises EmailNotValidError."""
    checked = validate_email(
        text,
        check_deliverability=False,
        allow_smtputf8=False,
        # Permits `.test` domains, and nothing else.
        test_environment=True,
        strict=True,
    )
    # Always there: a local part that is not ASCII was refused above.
    return checked.ascii_email or checked.normalized


def normalize_phone_number(text: str) -> str:
    """The number in E.164. Separators go and digits of any script become ASCII.

    A number passes when its country code exists and its length is possible there: the tables of
    ranges in use age too fast to refuse by. Premium-rate ranges are refused. Raises
    InvalidAddress.
    """
    if not _NUMBER.fullmatch(text):
        raise InvalidAddress(_NUMBER_EXAMPLE)
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        raise InvalidAddress(_NUMBER_EXAMPLE) from None
    if phonenumbers.is_possible_number_with_reason(number) != ValidationResult.IS_POSSIBLE:
        raise InvalidAddress(f"The number of digits is not possible there. {_NUMBER_EXAMPLE}")
    if phonenumbers.number_type(number) == PhoneNumberType.PREMIUM_RATE:
        raise InvalidAddress("Premium-rate numbers are not accepted.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
