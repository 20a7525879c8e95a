"""Destinations: the places outside this computer to which acquisitions are delivered."""
