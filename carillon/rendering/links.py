"""Links in HTML: those that would run a script are removed, wherever they come from."""

import re

REMOVED = "#"
"""What stands in place of a link that was removed: it leads nowhere."""

_UNSAFE_SCHEMES = frozenset({"javascript", "vbscript", "data"})
# Browsers drop these from a URL before they look at it (https://url.spec.whatwg.org/#url-parsing).
_IGNORED = re.compile(r"[\x00-\x20\x7f-\x9f]+")
_IMAGE = re.compile(r"data:image/(png|gif|jpeg|webp)[;,]", re.IGNORECASE)


def is_safe(url: str) -> bool:
    """False for javascript:, vbscript: and data: URLs, except images; relative ones are safe."""
    if ":" not in url:
        return True
    compact = _IGNORED.sub("", url)
    scheme = compact.partition(":")[0].lower()
    return scheme not in _UNSAFE_SCHEMES or _IMAGE.match(compact) is not None


def safe_link(url: str) -> str:
    """`url`, or what stands in place of a removed one."""
    return url if is_safe(url) else REMOVED


def safe_link_end(text: str) -> str:
    """The same for what follows a beginning that names no scheme yet: it must not end one."""
    before_path = re.split(r"[/?#]", text, maxsplit=1)[0]
    return REMOVED if ":" in before_path else text
