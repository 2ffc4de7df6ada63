"""Addresses as clients write them, brought to the one form that is stored and sent to."""

import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumberType, ValidationResult

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
    try:
        checked = validate_email(
            text,
            check_deliverability=False,
            allow_smtputf8=False,
            # Permits `.test` domains, and nothing else.
            test_environment=True,
            strict=True,
        )
    except EmailNotValidError as error:
        raise InvalidAddress(str(error)) from None
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
