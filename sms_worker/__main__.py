"""`python -m sms_worker`."""

import sys

from carillon.worker.main import run
from sms_worker.registry import REGISTRY

# HTTP providers answer in tenths of seconds: threads wait most of the time.
THREADS = 16

if __name__ == "__main__":
    sys.exit(run("sms_worker", REGISTRY, threads=THREADS))
