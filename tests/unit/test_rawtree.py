"""The vendor's tree as JSON: nothing is lost on the way there and back, repeated names cost nothing."""

from __future__ import annotations

import base64
import json
import math
import time

import pytest

from nffa_cli import rawtree

ODD = {
    "nan": (math.nan, {"@float": "nan"}),
    "minus infinity": (-math.inf, {"@float": "-inf"}),
    "minus zero": (-0.0, -0.0),
    "smallest": (5e-324, 5e-324),
    "64 bits": (2**64 - 1, 2**64 - 1),
    "lone surrogate": ("a\ud800b", "a\ud800b"),
    "nul and emoji": ("\0\x7f\u2028😀", "\0\x7f\u2028😀"),
    "empty name": ({"": {"": 1}}, {"": {"": 1}}),
    "complex": (complex(1, math.inf), {"@complex": [1.0, {"@float": "inf"}]}),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_values_survive_a_round_trip(name):
    value, written = ODD[name]
    there = json.dumps(rawtree.lossless({"x": [value]}), allow_nan=False)
    assert there.isascii()
    assert json.loads(there)["x"][0] == written
    assert math.copysign(1, json.loads(json.dumps(rawtree.lossless(-0.0)))) == -1


def test_bytes_survive_a_round_trip():
    data = bytes(range(256))
    there = json.loads(json.dumps(rawtree.lossless(data)))
    assert base64.b64decode(there["@bytes"]) == data
    packed = json.loads(json.dumps(rawtree.array("<u2", (2, 64), data)))
    assert (packed["@array"], packed["shape"], base64.b64decode(packed["base64"])) == ("<u2", [2, 64], data)


def test_repeated_names_are_all_kept_quickly():
    branch: dict[str, int] = {}
    start = time.process_time()
    for number in range(50_000):
        branch[rawtree.free(branch, "a")] = number
    assert time.process_time() - start < 5
    assert (len(branch), branch["a"], branch["a#2"], branch["a#50000"]) == (50_000, 0, 1, 49_999)
    listed: dict[str, object] = {}
    for number in range(3):
        rawtree.put(listed, "a", number)
    assert listed == {"a": [0, 1, 2]}


def test_a_name_with_dots_is_found_by_its_path():
    tree = {"a.b": {"c": [{"d": 1}]}, "a": {"b": 2}}
    assert rawtree.get(tree, "a.b.c.0.d") == 1
    assert rawtree.get(tree, "a.b") == {"c": [{"d": 1}]}
    assert rawtree.get(tree, "a.x") is rawtree.ABSENT
    assert dict(rawtree.leaves({"a": {"b": [1, 2]}, "c": {"@float": "nan"}})) == {"a.b": [1, 2], "c": {"@float": "nan"}}
