"""Faults on purpose: a proxy between a client and a server that breaks what passes, reproducibly."""
