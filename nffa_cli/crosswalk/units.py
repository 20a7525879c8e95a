"""The units that microscopes write, their dimensions, and conversion to the canonical ones.

A table, not an algebra: it knows the spellings that vendors use and nothing else, because a unit that is understood
by luck is worse than one that is reported. Factors are exact SI (BIPM brochure, 9th edition; torr = 101325/760 Pa).
"""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import NamedTuple

from nffa_cli.errors import CrosswalkError


class Unit(NamedTuple):
    """A unit: canonical value = value × factor + shift, in ``canonical``."""

    factor: float
    canonical: str
    shift: float = 0.0


class UnknownUnit(CrosswalkError):
    """The spelling is in no row of the table."""


class UnitMismatch(CrosswalkError):
    """The two units measure different things."""


_DEGREE = 180.0 / math.pi

_PREFIXES = {"G": 1e9, "M": 1e6, "k": 1e3, "": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}

# canonical unit: (symbol, allowed prefixes, written-out names that take no prefix)
_FAMILIES: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "V": ("V", "Mkmun", ("volt", "volts", "Volt", "Volts")),
    "A": ("A", "kmunpf", ("amp", "amps", "Amp", "Ampere", "ampere")),
    "m": ("m", "kmunpf", ("meter", "metre", "meters", "metres")),
    "s": ("s", "munpf", ("sec", "secs", "Sec", "Secs", "second", "seconds", "Seconds")),
    "K": ("K", "mk", ("kelvin", "Kelvin")),
    "Pa": ("Pa", "GMkmunp", ("pascal", "Pascal")),
    "eV": ("eV", "GMkm", ("ev", "electronvolt", "electron_volt")),
    "sr": ("sr", "m", ("steradian", "steradians")),
}

_ROWS: dict[str, Unit] = {
    # length
    "cm": Unit(1e-2, "m"),
    "micron": Unit(1e-6, "m"), "microns": Unit(1e-6, "m"), "Micron": Unit(1e-6, "m"), "Microns": Unit(1e-6, "m"),
    "micrometer": Unit(1e-6, "m"), "micrometers": Unit(1e-6, "m"), "um/px": Unit(1e-6, "m"), "nm/px": Unit(1e-9, "m"),
    "millimeter": Unit(1e-3, "m"), "nanometer": Unit(1e-9, "m"), "nanometers": Unit(1e-9, "m"),
    "nm/pixel": Unit(1e-9, "m"), "um/pixel": Unit(1e-6, "m"), "m/pixel": Unit(1.0, "m"),
    "Å": Unit(1e-10, "m"), "Ang": Unit(1e-10, "m"), "angstrom": Unit(1e-10, "m"), "Angstrom": Unit(1e-10, "m"),
    "angstroms": Unit(1e-10, "m"), "Angstroms": Unit(1e-10, "m"), "Ångström": Unit(1e-10, "m"),
    "inch": Unit(0.0254, "m"), "in": Unit(0.0254, "m"),
    # time
    "min": Unit(60.0, "s"), "mins": Unit(60.0, "s"), "Mins": Unit(60.0, "s"), "minutes": Unit(60.0, "s"),
    "minute": Unit(60.0, "s"), "h": Unit(3600.0, "s"), "hr": Unit(3600.0, "s"), "hours": Unit(3600.0, "s"),
    "hrs": Unit(3600.0, "s"), "Hrs": Unit(3600.0, "s"),
    "msec": Unit(1e-3, "s"), "usec": Unit(1e-6, "s"), "nsec": Unit(1e-9, "s"), "mSec": Unit(1e-3, "s"),
    "uSec": Unit(1e-6, "s"), "nSec": Unit(1e-9, "s"), "uSecs": Unit(1e-6, "s"), "mSecs": Unit(1e-3, "s"),
    # temperature
    "°C": Unit(1.0, "K", 273.15), "C": Unit(1.0, "K", 273.15), "degC": Unit(1.0, "K", 273.15),
    "deg C": Unit(1.0, "K", 273.15), "Celsius": Unit(1.0, "K", 273.15), "celsius": Unit(1.0, "K", 273.15),
    # pressure
    "hPa": Unit(100.0, "Pa"), "bar": Unit(1e5, "Pa"), "mbar": Unit(100.0, "Pa"), "mBar": Unit(100.0, "Pa"),
    "Torr": Unit(101325 / 760, "Pa"), "torr": Unit(101325 / 760, "Pa"),
    "mTorr": Unit(101.325 / 760, "Pa"), "mtorr": Unit(101.325 / 760, "Pa"),
    # energy per channel: the step of a spectrum's axis
    "eV/ch": Unit(1.0, "eV"), "eV/channel": Unit(1.0, "eV"), "keV/channel": Unit(1e3, "eV"), "eV/Ch": Unit(1.0, "eV"),
    "eV/Channel": Unit(1.0, "eV"), "keV/ch": Unit(1e3, "eV"),
    # angle
    "degree": Unit(1.0, "degree"), "degrees": Unit(1.0, "degree"), "deg": Unit(1.0, "degree"),
    "Deg": Unit(1.0, "degree"), "degs": Unit(1.0, "degree"), "Degs": Unit(1.0, "degree"),
    "Degree": Unit(1.0, "degree"), "Degrees": Unit(1.0, "degree"), "°": Unit(1.0, "degree"),
    "rad": Unit(_DEGREE, "degree"), "Rad": Unit(_DEGREE, "degree"), "radian": Unit(_DEGREE, "degree"),
    "radians": Unit(_DEGREE, "degree"), "mrad": Unit(_DEGREE * 1e-3, "degree"), "mRad": Unit(_DEGREE * 1e-3, "degree"),
    "urad": Unit(_DEGREE * 1e-6, "degree"),
    # reciprocal length
    "1/m": Unit(1.0, "1/m"), "1/mm": Unit(1e3, "1/m"), "1/um": Unit(1e6, "1/m"), "1/nm": Unit(1e9, "1/m"),
    "1/pm": Unit(1e12, "1/m"), "1/Å": Unit(1e10, "1/m"), "1/A": Unit(1e10, "1/m"), "1/cm": Unit(1e2, "1/m"),
    # dimensionless
    "1": Unit(1.0, "1"), "": Unit(1.0, "1"), "x": Unit(1.0, "1"), "X": Unit(1.0, "1"), "×": Unit(1.0, "1"),
    "kx": Unit(1e3, "1"), "kX": Unit(1e3, "1"), "Kx": Unit(1e3, "1"), "KX": Unit(1e3, "1"), "K X": Unit(1e3, "1"),
    "k x": Unit(1e3, "1"), "K x": Unit(1e3, "1"), "k X": Unit(1e3, "1"), "k×": Unit(1e3, "1"), "MX": Unit(1e6, "1"),
    "M X": Unit(1e6, "1"), "Mx": Unit(1e6, "1"), "%": Unit(0.01, "1"), "percent": Unit(0.01, "1"),
    "ppm": Unit(1e-6, "1"),
    # countables: each its own dimension, so that none passes for a number without unit
    "counts": Unit(1.0, "counts"), "Counts": Unit(1.0, "counts"), "count": Unit(1.0, "counts"),
    "cts": Unit(1.0, "counts"), "Hz": Unit(1.0, "Hz"), "kHz": Unit(1e3, "Hz"), "MHz": Unit(1e6, "Hz"),
    "1/s": Unit(1.0, "Hz"), "cps": Unit(1.0, "counts/s"), "counts/s": Unit(1.0, "counts/s"),
    "px": Unit(1.0, "px"), "pixel": Unit(1.0, "px"), "pixels": Unit(1.0, "px"), "Pixel": Unit(1.0, "px"),
    "Pixels": Unit(1.0, "px"), "frame": Unit(1.0, "frame"), "frames": Unit(1.0, "frame"),
    "channel": Unit(1.0, "channel"), "channels": Unit(1.0, "channel"),
}  # fmt: skip

# One spelling, two meanings: what is wanted decides.
_BY_WANTED: dict[tuple[str, str], Unit] = {
    ("A", "m"): Unit(1e-10, "m"),
    ("k", "1"): Unit(1e3, "1"),
    ("K", "1"): Unit(1e3, "1"),
    ("M", "1"): Unit(1e6, "1"),
}

for _canonical, (_symbol, _allowed, _names) in _FAMILIES.items():
    for _prefix in ("", *_allowed):
        _ROWS[_prefix + _symbol] = Unit(_PREFIXES[_prefix], _canonical)
    for _name in _names:
        _ROWS[_name] = Unit(1.0, _canonical)

# U+00B5 micro sign, U+03BC Greek mu, U+212B ångström sign, A with combining ring, U+2126/U+03A9 left alone
_SAME = str.maketrans({"µ": "u", "μ": "u", "\u212b": "Å", "º": "°", "˚": "°", "⁻": "-", "¹": "1"})
_RECIPROCAL = re.compile(r"(?:1 ?/ ?\(?(\S+?)\)?|(\S+?)(?:\^|\*\*)?\(?-1\)?)$")

UNCALIBRATED = frozenset({"px", "frame", "channel", "1", "counts"})
"""Canonical units of an axis that has indices but no calibration."""


@lru_cache(maxsize=512)
def _find(unit: str, wanted: str | None) -> Unit | None:
    text = " ".join(unit.replace("\x00", "").split()).translate(_SAME).replace("A\u030a", "Å")
    if wanted is not None and (text, wanted) in _BY_WANTED:
        return _BY_WANTED[text, wanted]
    if text in _ROWS:
        return _ROWS[text]
    bare = text.strip("[]() .")
    if bare in _ROWS:
        return _ROWS[bare]
    reciprocal = _RECIPROCAL.fullmatch(bare)
    return _ROWS.get(f"1/{reciprocal[1] or reciprocal[2]}") if reciprocal else None


def canonical(unit: str, wanted: str | None = None) -> tuple[float, str]:
    """Return (factor, canonical unit) of ``unit``; raises UnknownUnit.

    ``wanted`` settles spellings with two meanings: "A" is ångström where "m" is wanted, "K" is kilo where "1" is.
    For °C the factor alone is not the conversion: use ``convert``.
    """
    row = lookup(unit, wanted)
    return row.factor, row.canonical


def lookup(unit: str, wanted: str | None = None) -> Unit:
    """Return the row of ``unit``; raises UnknownUnit. ``wanted`` as in ``canonical``."""
    row = _find(unit, wanted)
    if row is None:
        raise UnknownUnit(
            f"unknown unit '{unit}'", hint="write a unit such as V, kV, nm, um, mrad or 1/nm; see crosswalks/README.md"
        )
    return row


def convert(value: float, unit: str, to: str) -> float:
    """Return ``value`` of ``unit`` in the unit ``to``; raises UnknownUnit or UnitMismatch."""
    target = lookup(to)
    row = lookup(unit, target.canonical)
    if row.canonical != target.canonical:
        raise UnitMismatch(f"'{unit}' cannot become '{to}': one is {row.canonical}, the other {target.canonical}")
    if row == target:
        return value
    return (scaled(value, row.factor) + row.shift - target.shift) / target.factor


def scaled(value: float, factor: float) -> float:
    """Return ``value`` × ``factor``, dividing where the factor is 1/n: 11.165 nm is then 1.1165e-08, not …0001e-08."""
    if 0.0 < factor < 1.0:
        inverse = round(1.0 / factor)
        if abs(inverse * factor - 1.0) < 1e-12:
            return value / inverse
    return value * factor
