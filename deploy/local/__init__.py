"""The local stack: the whole platform on one machine, without Docker and without systemd.

`make run` and the other targets of the Makefile call `python -m deploy.local COMMAND`. What runs
before the virtual environment exists (`__main__`, bootstrap, programs, install, mailbox_programs,
console, paths, child, roster, downloads, identity, private_files, errors) imports the standard
library alone.
"""

import sys

# Before anything that an older Python could not even read.
if sys.version_info < (3, 11):  # noqa: UP036
    raise SystemExit(
        "Carillon needs Python 3.11 or newer, and %s is %s. "  # noqa: UP031
        "Name another: make PYTHON=python3.12 ..." % (sys.executable, sys.version.split()[0])
    )
