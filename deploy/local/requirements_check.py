"""Every pinned requirement carries hashes, and no file names a place to download from."""

import re
import sys

from deploy.local.paths import ROOT

FORBIDDEN = re.compile(
    r"^\s*--?(index-url|extra-index-url|find-links|i\b|f\b)|https?://|\s@\s|\b(git|file)\+"
)
NAME = re.compile(r"^[A-Za-z0-9]")


def problems_in(text: str) -> list[str]:
    """What is wrong with a compiled requirements file, as "line N: …"."""
    found = []
    logical: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        if FORBIDDEN.search(line.split(" #")[0]) and not line.lstrip().startswith("#"):
            found.append(f"line {number}: names an address: {line.strip()}")
        if NAME.match(line):
            logical.append((number, line))
        elif logical:
            logical[-1] = (logical[-1][0], f"{logical[-1][1]} {line}")
    for number, requirement in logical:
        if "--hash=sha256:" not in requirement:
            found.append(f"line {number}: has no hash: {requirement.split()[0]}")
        if "==" not in requirement.split(";")[0]:
            found.append(f"line {number}: is not pinned: {requirement.split()[0]}")
    return found


def main() -> int:
    """Check requirements/*.txt and that each has its .in; the number of problems."""
    files = sorted((ROOT / "requirements").glob("*.txt"))
    problems = [f"{file.name} {p}" for file in files for p in problems_in(file.read_text("utf-8"))]
    sourceless = [file.name for file in files if not file.with_suffix(".in").exists()]
    problems += [f"{name} has no .in beside it" for name in sourceless]
    if not files:
        problems.append("requirements/ holds no .txt file")
    print("\n".join(problems) or f"{len(files)} files, every requirement pinned with hashes")
    return min(len(problems), 1)


if __name__ == "__main__":
    sys.exit(main())
