"""The real node, killed at random while clients deliver."""

from __future__ import annotations

import sys

import pytest

from tests import node_soak


@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_twenty_kills_of_the_node_tear_double_and_lose_nothing(tmp_path):
    figures = node_soak.node(20, 7, tmp_path)
    assert figures["wrong"] == []
    assert figures["measurements"] > 0
