"""`python -m email_worker`."""

import sys

from carillon.worker.main import run
from email_worker.registry import REGISTRY

# A few connections keep a mail server busy, and each costs it one of a limited number.
THREADS = 8

if __name__ == "__main__":
    sys.exit(run("email_worker", REGISTRY, threads=THREADS))
