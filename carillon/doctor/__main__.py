"""`python -m carillon.doctor`: every process whose code is here examines itself."""

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec

from carillon.doctor.findings import Finding, State, problem
from carillon.doctor.report import status, write
from carillon.settings import ROOT

TIMEOUT = 60  # seconds
AT_ONCE = 3


def main(arguments: list[str]) -> int:
    """1 if anything is wrong, and 0 if nothing is, or only warnings."""
    parser = argparse.ArgumentParser(
        prog="python -m carillon.doctor",
        description=(
            "Check settings, connections, versions, topology, migrations, clocks and providers, "
            "and say how to mend what is wrong. Sends no message; declares queues that are missing."
        ),
    )
    parser.add_argument("--json", action="store_true", help="a JSON object for programs")
    options = parser.parse_args(arguments)
    commands = dict(parts(ROOT))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = dict(zip(commands, pool.map(examination, commands.values()), strict=True))
    if options.json:
        sys.stdout.write(msgspec.json.encode(found).decode() + "\n")
    else:
        for names, findings in together(found).items():
            sys.stdout.write(f"{', '.join(names)}\n")
            write(findings, sys.stdout, as_json=False)
    everything = [finding for findings in together(found).values() for finding in findings]
    if not options.json:
        sys.stdout.write(summary(everything) + "\n")
    return status(everything)


def parts(root: Path) -> Iterator[tuple[str, list[str]]]:
    """Each process's name, and the command by which it examines itself."""
    for manage in sorted(root.glob("*/manage.py")):
        yield manage.parent.name, [str(manage), "doctor", "--json"]
    for registry in sorted(root.glob("*_worker/registry.py")):
        yield registry.parent.name, ["-m", registry.parent.name, "doctor", "--json"]


def together(found: Mapping[str, Sequence[Finding]]) -> dict[tuple[str, ...], list[Finding]]:
    """What several processes found alike is told once: findings by who found them."""
    finders: dict[Finding, list[str]] = {}
    for name, findings in found.items():
        for finding in findings:
            finders.setdefault(finding, []).append(name)
    grouped: dict[tuple[str, ...], list[Finding]] = {}
    for finding, names in finders.items():
        grouped.setdefault(tuple(names), []).append(finding)
    return grouped


def examination(command: list[str]) -> list[Finding]:
    """What a process found; that it cannot even start is a finding too."""
    ran = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={**os.environ, "LOG_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    try:
        return msgspec.json.decode(ran.stdout, type=list[Finding])
    except msgspec.DecodeError:
        # A missing or bad setting stops the start, and says so in its last line.
        last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return [problem("settings", last, "Set it as said; .env.example explains each.")]


def summary(findings: list[Finding]) -> str:
    """The closing line."""
    counts = Counter(finding.state for finding in findings)
    problems, warnings = counts[State.PROBLEM], counts[State.WARNING]
    if problems:
        return f"\n{problems} problems and {warnings} warnings: see x and ! above"
    if warnings:
        return f"\nNo problem, {warnings} warnings: see ! above"
    return f"\nAll is well: {counts[State.WELL]} things were looked at"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
