"""What a unit measures, as NeXus files spell it, and whether its concept asks for that.

Stricter than ``crosswalk.units``, which reads what vendors write: here only spellings count that other programs
understand. Products, quotients and powers of the SI's units and the few others that microscopy needs; no conversion.
"""

from __future__ import annotations

import re
from functools import lru_cache

Dimension = tuple[int, ...]
"""Powers of length, mass, time, current, temperature, substance, luminosity, angle."""


def _dim(text: str) -> Dimension:
    """Return the dimension of ``"L2 M T-3"``."""
    powers = dict.fromkeys("LMTIKNJA", 0)
    for part in text.split():
        powers[part[0]] = int(part[1:] or 1)
    return tuple(powers.values())


NONE = _dim("")
PIXEL = "px"

_SYMBOLS = {
    "m": "L", "g": "M", "s": "T", "A": "I", "K": "K", "mol": "N", "cd": "J", "rad": "A", "sr": "A2",
    "V": "L2 M T-3 I-1", "eV": "L2 M T-2", "J": "L2 M T-2", "W": "L2 M T-3", "Pa": "L-1 M T-2", "bar": "L-1 M T-2",
    "Hz": "T-1", "C": "T I", "N": "L M T-2", "T": "M T-2 I-1", "ohm": "L2 M T-3 I-2", "F": "L-2 M-1 T4 I2", "l": "L3",
    "u": "M",
}  # fmt: skip
_NAMES = {
    "meter": "L", "metre": "L", "gram": "M", "second": "T", "ampere": "I", "kelvin": "K", "mole": "N", "radian": "A",
    "steradian": "A2", "volt": "L2 M T-3 I-1", "electron_volt": "L2 M T-2", "electronvolt": "L2 M T-2",
    "joule": "L2 M T-2", "watt": "L2 M T-3", "pascal": "L-1 M T-2", "hertz": "T-1", "coulomb": "T I", "newton": "L M T-2",
    "tesla": "M T-2 I-1", "liter": "L3", "litre": "L3",
}  # fmt: skip
_ALONE = {
    "angstrom": "L", "Å": "L", "angstroms": "L", "micron": "L", "inch": "L", "barn": "L2", "deg": "A", "degree": "A",
    "degrees": "A", "°": "A", "arcsecond": "A", "arcminute": "A", "degC": "K", "celsius": "K", "°C": "K", "min": "T",
    "minute": "T", "minutes": "T", "h": "T", "hr": "T", "hour": "T", "hours": "T", "day": "T", "days": "T",
    "torr": "L-1 M T-2", "mmHg": "L-1 M T-2", "atm": "L-1 M T-2", "Da": "M", "e": "T I", "px": "L", "pixel": "L",
    "pixels": "L", "count": "", "counts": "", "percent": "", "%": "", "ppm": "", "dimensionless": "", "1": "",
}  # fmt: skip
_PREFIXES = ("", "da", "h", "k", "M", "G", "T", "P", "d", "c", "m", "u", "µ", "n", "p", "f", "a")
_PREFIX_NAMES = ("", "kilo", "mega", "giga", "tera", "deci", "centi", "milli", "micro", "nano", "pico", "femto", "atto")

_TABLE = {
    **{prefix + symbol: _dim(text) for symbol, text in _SYMBOLS.items() for prefix in _PREFIXES},
    **{
        prefix + name + end: _dim(text)
        for name, text in _NAMES.items()
        for prefix in _PREFIX_NAMES
        for end in ("", "s")
    },
    **{name: _dim(text) for name, text in _ALONE.items()},
}

_PIXELS = frozenset({"px", "pixel", "pixels"})
_FACTOR = re.compile(r"([^\d\s*/^()+-][^\s*/^()+-]*?|1|%)(?:(?:\*\*|\^)?\(?([+-]?\d+)\)?)?")
_SPLIT = re.compile(r"\s*(?<!\*)([*/·])(?!\*)\s*|\s+")

CATEGORIES = {
    "NX_ANGLE": "A", "NX_AREA": "L2", "NX_CHARGE": "T I", "NX_CROSS_SECTION": "L2", "NX_CURRENT": "I",
    "NX_EMITTANCE": "L A", "NX_ENERGY": "L2 M T-2", "NX_FLUX": "T-1 L-2", "NX_FREQUENCY": "T-1", "NX_LENGTH": "L",
    "NX_MASS": "M", "NX_MASS_DENSITY": "M L-3", "NX_MOLECULAR_WEIGHT": "M N-1", "NX_PERIOD": "T", "NX_PER_AREA": "L-2",
    "NX_PER_LENGTH": "L-1", "NX_POWER": "L2 M T-3", "NX_PRESSURE": "L-1 M T-2",
    "NX_SCATTERING_LENGTH_DENSITY": "L-2", "NX_SOLID_ANGLE": "A2", "NX_TEMPERATURE": "K", "NX_TIME": "T",
    "NX_TIME_OF_FLIGHT": "T", "NX_VOLTAGE": "L2 M T-3 I-1", "NX_VOLUME": "L3", "NX_WAVELENGTH": "L", "NX_WAVENUMBER": "L-1",
}  # fmt: skip
"""Unit category of the definitions → what a unit of it measures."""

WITHOUT = frozenset({"NX_UNITLESS", "NX_DIMENSIONLESS", "NX_COUNT", "NX_PULSES"})
"""Categories whose values are bare numbers: the unit is left out, or empty."""

USUAL = {
    "NX_ANGLE": "degree", "NX_AREA": "nm^2", "NX_CURRENT": "A", "NX_ENERGY": "eV", "NX_FREQUENCY": "Hz", "NX_LENGTH": "nm",
    "NX_POWER": "W", "NX_PRESSURE": "Pa", "NX_TEMPERATURE": "K", "NX_TIME": "s", "NX_VOLTAGE": "V",
    "NX_SOLID_ANGLE": "sr", "NX_PER_LENGTH": "1/nm", "NX_WAVELENGTH": "pm", "NX_WAVENUMBER": "1/nm",
}  # fmt: skip
"""A unit that people write for a category."""


@lru_cache(maxsize=512)
def dimension(unit: str) -> Dimension | None:
    """Return what a unit measures; None for a spelling that programs do not understand."""
    if not unit or unit != unit.strip() or len(unit) > 100:
        return None
    total, sign = list(NONE), 1
    parts = [part for part in _SPLIT.split(unit.replace("(", " ").replace(")", " ").strip()) if part]
    for part in parts:
        if part in "*/·":
            sign = -1 if part == "/" else 1
            continue
        found = _FACTOR.fullmatch(part)
        if found is None or found[1] not in _TABLE:
            return None
        power = sign * int(found[2] or 1)
        total = [a + power * b for a, b in zip(total, _TABLE[found[1]], strict=True)]
        sign = 1
    return tuple(total)


def measures(unit: str, category: str) -> bool:
    """Tell whether ``unit`` measures what ``category`` (``NX_LENGTH``, or a unit given as an example) asks for."""
    found = dimension(unit)
    wanted = _dim(CATEGORIES[category]) if category in CATEGORIES else dimension(category)
    return found is not None and (wanted is None or found == wanted)


def is_pixel(unit: str) -> bool:
    """Tell a unit that counts pixels, which other programs take for a length."""
    return unit in _PIXELS


def respelled(unit: str) -> str | None:
    """Return how programs spell a unit that only ``crosswalk.units`` understands, or None."""
    from nffa_cli.crosswalk import units

    try:
        row = units.lookup(unit)
    except units.UnknownUnit:
        return None
    plain = unit.translate(str.maketrans("μµ", "uu")).strip("[]() .")
    same = (plain, plain.lower(), *_USUAL_SPELLINGS)
    return next((each for each in same if dimension(each) is not None and units.lookup(each) == row), None)


_USUAL_SPELLINGS = ("um", "nm", "mm", "m", "angstrom", "pm", "degree", "mrad", "rad", "s", "ms", "us", "1/nm", "1/angstrom",
                    "1/m", "V", "kV", "eV", "keV", "A", "nA", "pA", "Pa", "mbar", "degC", "K", "Hz")  # fmt: skip
