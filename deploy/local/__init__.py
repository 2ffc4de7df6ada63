"""The local stack: the whole platform on one machine, without Docker and without systemd.

`make run` and the other targets of the Makefile call `python -m deploy.local COMMAND`. What runs
before the virtual environment exists (`__main__`, bootstrap, programs, install, mailbox_programs,
console, paths, child, roster, identity, private_files, errors) imports the standard library alone.
"""
