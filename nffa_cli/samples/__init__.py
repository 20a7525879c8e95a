"""The project's own generator of small files that are true to their instrument's format; no vendor's bytes are in it.

``make`` writes them; ``samples`` builds them in memory, each with the values it was made with, so that a test can prove
that nffa reads exactly what was written. One seed always gives the same bytes. numpy is only loaded when one is drawn.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path

from nffa_cli.samples.sample import Sample, sitting

MAKERS = {
    "zeiss-sem-tiff": "sem_files:zeiss",
    "fei-sem-tiff": "sem_files:fei",
    "tescan-sem-tiff": "sem_files:tescan",
    "tescan-sem-hdr": "sem_files:tescan_hdr",
    "jeol-sem-tiff": "sem_pairs:jeol",
    "hitachi-sem-tiff": "sem_pairs:hitachi",
    "hitachi-sem-ascii": "sem_pairs:hitachi_ascii",
    "gatan-dm3": "dm_files:stem_image",
    "gatan-dm3-diffraction": "dm_files:diffraction",
    "gatan-dm4": "dm_files:spectrum_image",
    "tia": "tia_files:stem_pair",
    "plain-picture": "sem_pairs:plain",
}
"""Kind of sample → module and function here that makes one."""

KINDS = tuple(MAKERS)
SMALL_KINDS = ("tia", "gatan-dm4", "tescan-sem-hdr", "hitachi-sem-tiff", "hitachi-sem-ascii", "gatan-dm3-diffraction")
"""The quick ones, for trials that write thousands of files."""


SESSION = """\
# Every file in this folder was drawn and written by nffa itself: python -m nffa_cli.samples FOLDER
proposal: {id: "161", title: Made-up files of many instruments}
experiment: {name: A walk along the microscopes}
sample:
  name: demo sample
  atom_types: [Au, C, O, Si]
  preparation_date: 2024-05-06T08:00:00+02:00
  physical_form: nanoparticles on a film
  is_simulation: true
user: {name: demo}
instrument: {timezone: Europe/Rome, date_order: DMY}
licence: CC0-1.0
"""
"""What the session file beside the samples says."""


def samples(*, seed: int = 0, kinds: Sequence[str] = KINDS) -> Iterator[Sample]:
    """Yield one sample of each kind, made with ``seed``."""
    for kind in kinds:
        module, _, function = MAKERS[kind].partition(":")
        maker = getattr(import_module(f"nffa_cli.samples.{module}"), function)
        yield maker(sitting(kind, seed, KINDS.index(kind)))


def make(folder: Path, *, seed: int = 0, kinds: Sequence[str] = KINDS) -> list[Path]:
    """Write one sample of each kind into ``folder`` (made if need be) and return the paths of all files."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for sample in samples(seed=seed, kinds=kinds):
        for name, data in sample.files.items():
            paths.append(folder / name)
            paths[-1].write_bytes(data)
    return paths


def make_session(folder: Path) -> list[Path]:
    """Bring ``folder`` to hold one sample of each kind and a session file; return the paths of all files.

    What is there already as it should be is left alone, so that a second run changes nothing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {"nffa-session.yaml": SESSION.encode()}
    for sample in samples():
        wanted |= sample.files
    for name, data in wanted.items():
        path = folder / name
        if not path.is_file() or path.read_bytes() != data:
            path.write_bytes(data)
    return [folder / name for name in wanted]
