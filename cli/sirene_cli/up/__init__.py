"""`sirene up`: NATS and the three services as processes of this one, which keeps them alive.

run.py wires; plan.py says what was asked for; services.py which processes that takes, with which
environment; supervisor.py starts, restarts and stops them; child.py, die_with_parent.py and
undertaker.py see to it that none is left behind.
"""
