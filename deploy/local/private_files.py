"""Files that only their owner may read, replaced whole: a reader never sees half of one."""

import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace `path` with `text`, mode 600."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # mkstemp creates with mode 600, so that the secret is never readable, not even for a moment.
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_values(path: Path) -> dict[str, str]:
    """The KEY=value lines of `path`, as the platform reads them; nothing where it is absent."""
    if not path.is_file():
        return {}
    lines = (line.strip() for line in path.read_text(encoding="utf-8").splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return {name.strip(): _unquoted(value.strip()) for name, _, value in pairs}


def write_values(path: Path, values: Mapping[str, str], *, heading: str) -> None:
    """Write KEY=value lines under a comment; raises ValueError for a value with a line break."""
    broken = [name for name, value in values.items() if "\n" in value or "\r" in value]
    if broken:
        raise ValueError(f"values with a line break: {', '.join(broken)}")
    lines = [f"# {heading}", *(f"{name}={value}" for name, value in values.items())]
    write_private(path, "\n".join(lines) + "\n")


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
