"""Reads numbers and quoted texts."""

import re
from math import isfinite

from carillon.rendering.lexer import SourceError, Token
from carillon.rendering.nodes import Constant

INTEGER_MOST = 2**63 - 1

_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2}|.)", re.DOTALL)
_SIMPLE_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"', "/": "/"}


def number(token: Token) -> Constant:
    """Up to 64 bits, or a finite float. Raises SourceError."""
    digits = token.text
    if not digits.isdigit():
        value = float(digits)
        if not isfinite(value):
            raise SourceError(token.at, "This number is too large.")
        return Constant(token.at, value, digits)
    if len(digits) > 19 or int(digits) > INTEGER_MOST:
        raise SourceError(token.at, "This number is too large.")
    return Constant(token.at, int(digits), str(int(digits)))


def text(token: Token) -> str:
    """What stands between the quotes, escapes replaced. Raises SourceError."""

    def replace(found: re.Match[str]) -> str:
        what = found.group(1)
        if what[0] in "ux" and len(what) > 1:
            code = int(what[1:], 16)
            if code == 0 or 0xD800 <= code <= 0xDFFF:
                raise SourceError(token.at + found.start() + 1, "This is not a character.")
            return chr(code)
        if what not in _SIMPLE_ESCAPES:
            raise SourceError(token.at + found.start() + 1, f"There is no escape \\{what}.")
        return _SIMPLE_ESCAPES[what]

    return _ESCAPE.sub(replace, token.text[1:-1])
