"""What the page says: a file for each language, all of one shape, so that none lacks a word."""

from collections.abc import Mapping

from user_service.unsubscribe.words.de import GERMAN
from user_service.unsubscribe.words.en import ENGLISH
from user_service.unsubscribe.words.es import SPANISH
from user_service.unsubscribe.words.fr import FRENCH
from user_service.unsubscribe.words.pt import PORTUGUESE
from user_service.unsubscribe.words.shape import Words

WORDS: Mapping[str, Words] = {
    "en": ENGLISH,
    "de": GERMAN,
    "fr": FRENCH,
    "es": SPANISH,
    "pt": PORTUGUESE,
}

__all__ = ["WORDS", "Words"]
