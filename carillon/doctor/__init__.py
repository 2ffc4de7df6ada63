"""Looks a deployment over: settings, connections, versions, topology, clocks, providers.

`python -m carillon.doctor` examines every process whose code is here. What is wrong comes with how
to mend it.
"""
