"""`python -m tests.end_to_end.faults`: what `make chaos` runs."""

import sys

from deploy.local.console import Console
from tests.end_to_end.faults.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Console()))
