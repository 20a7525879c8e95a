"""The unit table against pint, which knows units and shares no code with us."""

from __future__ import annotations

import math

import pint
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nffa_cli.crosswalk import units
from nffa_cli.errors import CrosswalkError

ORACLE = pint.UnitRegistry()
CANONICAL = {"V": "V", "A": "A", "m": "m", "s": "s", "K": "K", "Pa": "Pa", "eV": "eV", "1/m": "1/m", "sr": "sr"}
FOREIGN = {  # our spelling → pint's, where they differ
    "Å": "angstrom", "um": "micrometer", "µm": "micrometer", "μm": "micrometer", "uA": "microampere",
    "µA": "microampere", "us": "microsecond", "µs": "microsecond", "Secs": "second", "Mins": "minute", "h": "hour",
    "°C": "degC", "Torr": "torr", "mTorr": "millitorr", "deg": "degree", "°": "degree", "rad": "radian",
    "mrad": "milliradian", "1/Å": "1/angstrom", "1/um": "1/micrometer", "nm^-1": "1/nm", "mBar": "mbar",
    "nA": "nanoampere", "A": "ampere", "pA": "picoampere", "K": "kelvin", "V": "volt", "micron": "micrometer",
    "mins": "minute", "Volt": "volt", "Ångström": "angstrom", "microns": "micrometer",
}  # fmt: skip
SPELLINGS = [*FOREIGN, "kV", "mV", "mA", "m", "mm", "cm", "nm", "pm", "s", "ms", "ns", "min", "Pa", "kPa", "hPa", "mPa",
             "mbar", "eV", "keV", "meV", "1/m", "1/nm", "degree", "sr", "inch"]  # fmt: skip


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_pint_agrees(spelling):
    """Every spelling that pint has a word for gives pint's number."""
    target = units.lookup(spelling).canonical
    theirs = ORACLE.Quantity(12.5, FOREIGN.get(spelling, spelling)).to(
        "degree" if target == "degree" else CANONICAL[target]
    )
    assert units.convert(12.5, spelling, target) == pytest.approx(theirs.magnitude, rel=1e-12)


@given(st.sampled_from(SPELLINGS), st.floats(-1e12, 1e12, allow_nan=False))
def test_round_trip(spelling, value):
    """There and back is where it was."""
    target = units.lookup(spelling).canonical
    back = units.convert(units.convert(value, spelling, target), target, spelling)
    assert back == pytest.approx(value, rel=1e-12, abs=1e-9 if spelling == "°C" else 1e-300)


@pytest.mark.parametrize(
    ("value", "unit", "to", "wanted"),
    [
        (2.0, "A", "m", 2e-10),
        (2.0, "A", "A", 2.0),
        (10.0, "K X", "1", 1e4),
        (1.5, "Hrs", "s", 5400.0),
        (3.0, "K", "1", 3000.0),
        (3.0, "K", "K", 3.0),
        (50.0, "%", "1", 0.5),
        (180.0, "degree", "rad", math.pi),
        (-20.0, "°C", "K", 253.15),
        (5.0, "nm⁻¹", "1/m", 5e9),
        (5.0, "[1/nm]", "1/m", 5e9),
        (1.0, " µm\x00", "m", 1e-6),
        (1.0, "A\u030a", "m", 1e-10),
    ],
)
def test_spellings_with_a_twist(value, unit, to, wanted):
    assert units.convert(value, unit, to) == pytest.approx(wanted, rel=1e-14)


def test_decimal_numbers_stay_short():
    assert units.convert(11.165, "nm", "m") == 1.1165e-08


@pytest.mark.parametrize(("unit", "to"), [("V", "m"), ("eV", "V"), ("counts", "1"), ("px", "m"), ("1/m", "m")])
def test_other_dimensions_do_not_fit(unit, to):
    with pytest.raises(units.UnitMismatch):
        units.convert(1.0, unit, to)


@given(st.text(max_size=12))
def test_any_text_is_a_unit_or_a_clear_error(text):
    try:
        factor, name = units.canonical(text)
    except CrosswalkError:
        return
    assert factor > 0
    assert units.canonical(name) == (1.0, name)
