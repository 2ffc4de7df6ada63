"""Pages that say one thing: that a link is not right, or that now is not the time."""

from dataclasses import dataclass
from enum import StrEnum

from django.http import HttpResponse

from carillon.web.pages.response import page


class Message(StrEnum):
    """What there is to say."""

    UNKNOWN_LINK = "unknown_link"
    UNREADABLE = "unreadable"
    TOO_MANY = "too_many"
    UNAVAILABLE = "unavailable"


_STATUS = {
    Message.UNKNOWN_LINK: 404,
    Message.UNREADABLE: 400,
    Message.TOO_MANY: 429,
    Message.UNAVAILABLE: 503,
}


@dataclass(frozen=True, slots=True)
class _Said:
    heading: str
    text: str


_WORDS: dict[str, dict[Message, _Said]] = {
    "en": {
        Message.UNKNOWN_LINK: _Said(
            "This link does not work",
            "It is incomplete or was changed. Please open it again from the message that you got, "
            "or copy all of it.",
        ),
        Message.UNREADABLE: _Said(
            "That did not work",
            "We could not read what your browser sent. Nothing was changed. Please open the link "
            "in your message again.",
        ),
        Message.TOO_MANY: _Said(
            "Please wait a moment",
            "This page was asked for too often. Please try again in a minute.",
        ),
        Message.UNAVAILABLE: _Said(
            "Not available right now",
            "Your choice could not be stored. Please try again in a few minutes; the link stays "
            "valid.",
        ),
    },
    "de": {
        Message.UNKNOWN_LINK: _Said(
            "Dieser Link funktioniert nicht",
            "Er ist unvollständig oder wurde verändert. Bitte öffnen Sie ihn noch einmal aus der "
            "Nachricht, die Sie erhalten haben, oder kopieren Sie ihn vollständig.",
        ),
        Message.UNREADABLE: _Said(
            "Das hat nicht geklappt",
            "Wir konnten nicht lesen, was Ihr Browser gesendet hat. Es wurde nichts geändert. "
            "Bitte öffnen Sie den Link in Ihrer Nachricht noch einmal.",
        ),
        Message.TOO_MANY: _Said(
            "Bitte warten Sie einen Moment",
            "Diese Seite wurde zu oft aufgerufen. Bitte versuchen Sie es in einer Minute noch "
            "einmal.",
        ),
        Message.UNAVAILABLE: _Said(
            "Im Moment nicht erreichbar",
            "Ihre Wahl konnte nicht gespeichert werden. Bitte versuchen Sie es in einigen Minuten "
            "noch einmal; der Link bleibt gültig.",
        ),
    },
    "fr": {
        Message.UNKNOWN_LINK: _Said(
            "Ce lien ne fonctionne pas",
            "Il est incomplet ou a été modifié. Veuillez l’ouvrir à nouveau depuis le message que "
            "vous avez reçu, ou le copier en entier.",
        ),
        Message.UNREADABLE: _Said(
            "Cela n’a pas fonctionné",
            "Nous n’avons pas pu lire ce que votre navigateur a envoyé. Rien n’a été modifié. "
            "Veuillez ouvrir à nouveau le lien de votre message.",
        ),
        Message.TOO_MANY: _Said(
            "Veuillez patienter un instant",
            "Cette page a été demandée trop souvent. Veuillez réessayer dans une minute.",
        ),
        Message.UNAVAILABLE: _Said(
            "Indisponible pour le moment",
            "Votre choix n’a pas pu être enregistré. Veuillez réessayer dans quelques minutes ; "
            "le lien reste valable.",
        ),
    },
    "es": {
        Message.UNKNOWN_LINK: _Said(
            "Este enlace no funciona",
            "Está incompleto o ha sido modificado. Ábralo de nuevo desde el mensaje que recibió o "
            "cópielo entero.",
        ),
        Message.UNREADABLE: _Said(
            "No ha funcionado",
            "No hemos podido leer lo que ha enviado su navegador. No se ha cambiado nada. Abra de "
            "nuevo el enlace de su mensaje.",
        ),
        Message.TOO_MANY: _Said(
            "Espere un momento",
            "Esta página se ha pedido demasiadas veces. Inténtelo de nuevo dentro de un minuto.",
        ),
        Message.UNAVAILABLE: _Said(
            "No disponible en este momento",
            "No se ha podido guardar su elección. Inténtelo de nuevo dentro de unos minutos; el "
            "enlace sigue siendo válido.",
        ),
    },
    "pt": {
        Message.UNKNOWN_LINK: _Said(
            "Este link não funciona",
            "Está incompleto ou foi alterado. Abra-o novamente a partir da mensagem que recebeu ou "
            "copie-o por inteiro.",
        ),
        Message.UNREADABLE: _Said(
            "Não foi possível",
            "Não conseguimos ler o que o seu navegador enviou. Nada foi alterado. Abra novamente o "
            "link da sua mensagem.",
        ),
        Message.TOO_MANY: _Said(
            "Aguarde um momento",
            "Esta página foi pedida vezes demais. Tente novamente dentro de um minuto.",
        ),
        Message.UNAVAILABLE: _Said(
            "Indisponível neste momento",
            "Não foi possível guardar a sua escolha. Tente novamente dentro de alguns minutos; o "
            "link continua válido.",
        ),
    },
}


def message_page(message: Message, language: str) -> HttpResponse:
    """The page, with the status that fits what it says."""
    said = _WORDS[language][message]
    context = {"heading": said.heading, "text": said.text}
    return page("pages/message.html", context, language=language, status=_STATUS[message])
