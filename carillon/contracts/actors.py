"""Who asks for a change: the gateway tells the services in a header, and they keep it."""

import re
from urllib.parse import quote, unquote

import msgspec

HEADER = "X-Actor"
ID_LENGTH = 64
NAME_LENGTH = 100

_ID = re.compile(rf"[A-Za-z0-9_.-]{{1,{ID_LENGTH}}}")


class Actor(msgspec.Struct, frozen=True):
    """An API key by its id and name, or a command; empty where nobody said."""

    id: str = ""
    name: str = ""


NOBODY = Actor()


def write_actor(actor: Actor) -> str:
    """The header's value: the id, and the name percent-encoded (UTF-8)."""
    return f"{actor.id} {quote(actor.name, safe='')}".strip()


def read_actor(header: str) -> Actor:
    """Of a header's value; nobody where it is not of that form."""
    actor_id, _, name = header.partition(" ")
    if not _ID.fullmatch(actor_id):
        return NOBODY
    # What is no text in a database, or breaks a line of a log, is not a name.
    shown = "".join(character for character in unquote(name) if character.isprintable())
    return Actor(actor_id, shown[:NAME_LENGTH])
