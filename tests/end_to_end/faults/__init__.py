"""Fault injection: what is promised, broken on purpose, and counted.

`make chaos` prints the table; `make test` runs the short form.
"""
