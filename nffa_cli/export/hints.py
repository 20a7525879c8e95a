"""Who can supply what NXem asks for, and what to type: the end of a path → a sentence."""

from __future__ import annotations

SUPPLIERS = (
    ("/sample/preparation_date", "who prepared the sample knows: nffa session new, sample.preparation_date"),
    ("/sample/atom_types", "who prepared the sample knows: nffa session new, sample.atom_types"),
    ("/sample/is_simulation", "nffa session new, sample.is_simulation (false for a measurement)"),
    ("/sample/physical_form", "nffa session new, sample.physical_form"),
    ("/sample/name", "nffa session new, sample.name"),
    ("/sample", "who prepared the sample knows: nffa session new"),
    ("start_time", "where the instrument's file says when, but no time zone: nffa profile add, with its time zone"),
    ("end_time", "leave it out where nobody knows it"),
    ("/instrument/fabrication/vendor", "say it once for the instrument: nffa profile add, vendor"),
    ("/instrument/fabrication/model", "say it once for the instrument: nffa profile add, model"),
    ("/instrument/fabrication/serial_number", "say it once for the instrument: nffa profile add, serial"),
    ("/instrument/fabrication", "say once who built the instrument: nffa profile add, vendor and model"),
    ("/instrument/location", "say it once for the instrument: nffa profile add, facility"),
    ("/measurement/instrument", "say it once for the instrument: nffa profile add"),
    ("@long_name", "say what the numbers are, for the label of the plot"),
    ("@signal", "name the field that is plotted"),
    ("@axes", "name the axes, slow to fast"),
    ("/definition", "write definition = NXem"),
)
"""End of a path → who could supply it. The first that fits counts."""


def supplier(path: str, *, required: bool = True) -> str:
    """Return who could supply what is missing at ``path``."""
    plain = path.replace("/sample1", "/sample")
    unknown = "supply it, or leave out the group that it is in" if required else "leave it out where nobody knows it"
    return next((hint for end, hint in SUPPLIERS if plain.endswith(end)), unknown)
