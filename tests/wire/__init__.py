"""Tests of what speaks HTTP as a client, against real small servers on free ports."""
