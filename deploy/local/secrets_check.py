"""No credential is in git: every tracked file is searched for what looks like one.

deploy/lint/known_secrets.json lists what was found and is none: its SHA-1, the reason, and where
it may stand, if not everywhere.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path

from detect_secrets.core.secrets_collection import SecretsCollection
from detect_secrets.settings import transient_settings

from deploy.local.paths import ROOT

KNOWN = ROOT / "deploy" / "lint" / "known_secrets.json"
# Hashes of packages, and nothing else: they look like anything.
SKIPPED = ("requirements/*.txt", "package-lock.json", "*.svg", "*.png")
# Those that know a form, and none that goes by the name of a variable or by entropy alone: names
# such as SECRET_KEY and random ids in examples are everywhere.
DETECTORS = (
    "ArtifactoryDetector",
    "AWSKeyDetector",
    "AzureStorageKeyDetector",
    "BasicAuthDetector",
    "CloudantDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "IbmCloudIamDetector",
    "JwtTokenDetector",
    "MailchimpDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "SoftlayerDetector",
    "SquareOAuthDetector",
    "StripeDetector",
    "TelegramBotTokenDetector",
    "TwilioKeyDetector",
)


def main() -> int:
    """Print each unknown find by file, line, kind and SHA-1, never itself; 1 if there is any."""
    known = json.loads(KNOWN.read_text(encoding="utf-8"))
    problems = [
        f"{file}:{line}: {kind} (SHA-1 {digest})"
        for file, line, kind, digest in search(tracked())
        if not may_stand(file, known.get(digest))
    ]
    if problems:
        print("\n".join(problems))
        print(f"Take it out, and replace it where it is used; what is none goes into {KNOWN.name}.")
    else:
        print("no credential in any tracked file")
    return min(len(problems), 1)


def may_stand(file: str, known: Mapping[str, str] | None) -> bool:
    """Whether a find is known to be none, there."""
    return known is not None and fnmatch(file, known.get("in", "*"))


def search(files: Iterable[Path]) -> list[tuple[str, int, str, str]]:
    """File, line, kind and SHA-1 of everything that looks like a credential."""
    with transient_settings({"plugins_used": [{"name": name} for name in DETECTORS]}):
        found = SecretsCollection(root=str(ROOT))
        found.scan_files(*(str(file) for file in files))
    return sorted(
        (str(file), secret.line_number, secret.type, secret.secret_hash) for file, secret in found
    )


def tracked() -> list[Path]:
    """The files that git knows of and that exist."""
    skipped = [f":(exclude,glob)**/{pattern}" for pattern in SKIPPED]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", ".", *skipped],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = (Path(name) for name in listed.stdout.split("\0") if name)
    return [path for path in paths if (ROOT / path).is_file()]


if __name__ == "__main__":
    sys.exit(main())
