"""From a file's name and first bytes to what it is, by tables; pure, no file is opened here.

The bytes decide. The extension only chooses between formats without a signature of their own, and tells a damaged file of
ours (``scan.dm3`` that does not start like one) from somebody else's file. TIFF dialects are told apart by their tags,
which may lie at the end of a file: that is the TIFF reader's job. Likewise what an HDF5 file holds, of whatever extension,
is for its reader to say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

HEAD_BYTES = 4096
"""How much of a file ``identify`` wants to see."""


@dataclass(frozen=True, slots=True)
class Format:
    """A kind of file: the reader family that takes it, the names it goes by, and how its bytes begin."""

    name: str
    family: str
    extensions: tuple[str, ...]
    starts: Callable[[bytes], bool] | None
    about: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What a file is.

    verdict
        ``ours``: ``family`` reads it. ``not-ours``: leave it, ``reason`` says what it is. ``damaged``: it is named like
        one of ours, but the bytes are not; ``reason`` says which.
    """

    verdict: Literal["ours", "not-ours", "damaged"]
    format: str | None = None
    family: str | None = None
    reason: str | None = None


def _magic(*prefixes: bytes) -> Callable[[bytes], bool]:
    return lambda head: head.startswith(prefixes)


def _dm(version: int, endian_at: int) -> Callable[[bytes], bool]:
    start = version.to_bytes(4, "big")
    flags = {bytes(4), b"\0\0\0\1"}
    return lambda head: head.startswith(start) and head[endian_at : endian_at + 4] in flags


def _text_of(head: bytes) -> str:
    """Decode the head as a text sidecar would be: UTF-16 with a byte order mark or without, else one byte a character."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return head.decode("utf-16", "ignore")
    return head.decode("utf-16-le" if head[1:4:2] == b"\0\0" else "latin-1", "ignore")


def _says(*needles: str) -> Callable[[bytes], bool]:
    def test(head: bytes) -> bool:
        text = _text_of(head)
        return "\0" not in text[:64] and any(needle in text for needle in needles)

    return test


def _emsa(head: bytes, format_: bytes = b"") -> bool:
    """EMSA/MAS begins with the keyword FORMAT, by some programs behind a UTF-8 mark or blank lines."""
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip().split(b"\n", 1)[0]
    return first.startswith(b"#FORMAT") and format_ in first


def _mrc(head: bytes) -> bool:
    """MRC2014 puts ``MAP`` at byte 208; older files have plausible sizes and a known mode."""
    if head[208:211] == b"MAP":
        return True
    numbers = [int.from_bytes(head[i : i + 4], "little", signed=True) for i in range(0, 16, 4)]
    return len(head) >= 1024 and all(0 < n < 1 << 20 for n in numbers[:3]) and numbers[3] in {0, 1, 2, 3, 4, 6, 12, 101}


HDF5 = b"\x89HDF\r\n\x1a\n"


def _hdf5(head: bytes) -> bool:
    """HDF5 may begin behind a block of the user's, at a power of two."""
    return any(head[at : at + len(HDF5)] == HDF5 for at in (0, 512, 1024, 2048))


FORMATS: tuple[Format, ...] = (
    Format("gatan-dm3", "dm", (".dm3",), _dm(3, 8), "Gatan DigitalMicrograph 3"),
    Format("gatan-dm4", "dm", (".dm4",), _dm(4, 12), "Gatan DigitalMicrograph 4"),
    Format("tia", "tia", (".ser",), _magic(b"II\x97\x01"), "FEI/Thermo TIA series (with its .emi)"),
    Format("tia", "tia", (".emi",), _magic(b"JK\x00\x02"), "FEI/Thermo TIA metadata (with its .ser)"),
    Format("tiff", "tiff", (".tif", ".tiff", ".tf8"), _magic(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
           "TIFF: Zeiss, FEI/Thermo, TESCAN, JEOL, Hitachi, Fibics and others by their tags"),
    Format("emd", "emd", (".emd",), _magic(HDF5), "Velox or Berkeley/NCEM EMD"),
    Format("nxem", "emd", (".nxs", ".nx5"), _hdf5, "NeXus NXem, of nffa or of others, whatever its extension"),
    Format("bruker-bcf", "rosetta", (".bcf",), _magic(b"AAMVHFSS"), "Bruker Esprit composite file"),
    Format("blockfile", "blockfile", (".blo",), _magic(b"IMGBLO"), "NanoMEGAS block file"),
    Format("phenom-elid", "rosetta", (".elid",), _magic(b"BZh"), "Phenom Element Identification project"),
    Format("emsa-msa", "rosetta", (".msa", ".ems", ".mas", ".emsa"), _emsa, "EMSA/MAS spectrum"),
    Format("emsa-msa", "rosetta", (".txt",), lambda head: _emsa(head, b"EMSA/MAS"), "EMSA/MAS spectrum saved as text"),
    Format("bruker-spx", "rosetta", (".spx",), _says("TRTSpectrum"), "Bruker spectrum"),
    Format("mrc", "mrc", (".mrc", ".mrcs", ".st", ".map", ".ali", ".rec"), _mrc, "MRC image or stack"),
    Format("rosetta-jeol-pts", "rosetta", (".pts",), None, "JEOL EDS spectrum image"),
    Format("jeol-eds", "rosetta", (".eds",), None, "JEOL EDS spectrum"),
    Format("edax-spc", "rosetta", (".spc",), None, "EDAX spectrum"),
    Format("edax-spd", "rosetta", (".spd",), _magic(b"MAPSPECTRA_DATA"), "EDAX spectrum image (with its .ipr)"),
    Format("rosetta-ripple", "rosetta", (".rpl",), None, "Lispix ripple (with its .raw)"),
    Format("rosetta-mib", "rosetta", (".mib",), _magic(b"MQ1"), "Quantum Detectors Merlin/Medipix"),
    Format("rosetta-semper", "rosetta", (".unf",), None, "SEMPER"),
    Format("rosetta-prz", "rosetta", (".prz",), _magic(b"PK\x03\x04"), "CEOS Panta Rhei"),
    Format("rosetta-tvips", "rosetta", (".tvips",), None, "TVIPS image stream"),
    Format("rosetta-digitalsurf", "rosetta", (".sur",), _magic(b"DIGITAL SURF", b"DSCOMPRESSED"), "Digital Surf surface"),
    Format("rosetta-de5", "emd", (".de5",), _magic(HDF5), "Direct Electron"),
    Format("jeol-sem-tiff", "sidecar", (".txt",), _says("$CM_FORMAT", "$SEM_DATA_VERSION", "$CM_"), "JEOL SEM text file"),
    Format("hitachi-sem-tiff", "sidecar", (".txt",), _says("[SemImageFile]", "[TemImageFile]", "\nInstructName="),
           "Hitachi SEM text file"),
    Format("tescan-sem-tiff", "sidecar", (".hdr",), _says("[MAIN]"), "TESCAN header file"),
    Format("plain-image", "picture", (".jpg", ".jpeg"), _magic(b"\xff\xd8\xff"), "JPEG picture"),
    Format("plain-image", "picture", (".png",), _magic(b"\x89PNG\r\n\x1a\n"), "PNG picture"),
    Format("plain-image", "picture", (".bmp",), _magic(b"BM"), "BMP picture"),
)  # fmt: skip
"""Every kind of file that nffa reads, in the order in which they are tried."""

NOT_OURS: tuple[tuple[str, tuple[str, ...], tuple[bytes, ...]], ...] = (
    ("spm", (".sxm", ".mtrx", ".z_mtrx", ".i_mtrx", ".nid", ".gwy", ".sm4", ".3ds", ".mul", ".ibw", ".spm", ".jpk"),
     (b":NANONIS_VERSION:", b"ONTMATRX", b"GWYP", b"[DataSet]", b"[Paramco32]", b"Experiment\t", b"\\*File list")),
    ("hdf5", (".h5", ".hdf5"), ()),
    ("hdf4", (".hdf", ".h4"), (b"\x0e\x03\x13\x01",)),
    ("document", (".txt", ".md", ".rst", ".pdf", ".doc", ".docx", ".odt", ".rtf", ".ppt", ".pptx", ".xls", ".xlsx", ".ods",
                  ".csv", ".tsv", ".html", ".htm", ".log", ".ini", ".cfg", ".toml", ".yaml", ".yml", ".json", ".xml", ".py",
                  ".m", ".ipynb", ".opju", ".opj"), (b"%PDF", b"{\\rtf")),
    ("archive", (".zip", ".gz", ".7z", ".tar", ".rar", ".bz2", ".xz"), (b"PK\x03\x04", b"7z\xbc\xaf", b"Rar!", b"\x1f\x8b")),
    ("index of other files", (".asw", ".idoc"), ()),
    ("a project of Oxford's or EDAX's software", (".oip", ".oipx", ".azt", ".edaxh5"), ()),
    ("diffraction maps of EBSD", (".ebsp", ".h5oina", ".ctf", ".ang", ".cpr", ".crc", ".up1", ".up2", ".osc", ".oh5"), ()),
    ("video", (".avi", ".mp4", ".mov", ".mkv", ".wmv", ".gif"), (b"GIF8",)),
    ("program", (".exe", ".dll", ".bat", ".cmd", ".sh", ".lnk", ".msi"), (b"MZ", b"\x7fELF")),
)  # fmt: skip
"""(kind, extensions, first bytes) of what lies in instrument folders and is left alone, with the kind as the reason."""


PLAIN_IMAGE = "plain-image"
"""The format of a picture that holds nothing of an instrument."""

COMMON_EXTENSIONS = {".txt", ".hdr", ".st", ".map", ".ali", ".rec"}
"""Extensions that many programs use: such a file that does not start like ours is simply somebody else's."""


def extension_of(name: str) -> str:
    """Return the lower-case extension with its dot ("" when there is none)."""
    stem, dot, last = name.rpartition(".")
    return f".{last.lower()}" if dot and stem else ""


def identify(name: str, head: bytes) -> Identity:
    """Say what a file is.

    Parameters
    ----------
    name
        File name, without folders.
    head
        The first ``HEAD_BYTES`` bytes (fewer if the file is shorter).
    """
    extension = extension_of(name)
    named = [fmt for fmt in FORMATS if extension in fmt.extensions]
    for fmt in named:
        if head and (fmt.starts is None or fmt.starts(head)):
            return Identity("ours", fmt.name, fmt.family)
    for kind, extensions, starts in NOT_OURS:
        if head.startswith(starts) or (extension in extensions and not _unmistakable(head)):
            return Identity("not-ours", reason=f"not-ours: {kind}")
    if (found := _unmistakable(head)) is not None:
        return Identity("ours", found.name, found.family)
    if named and extension not in COMMON_EXTENSIONS:
        what = "is empty" if not head else f"does not start like one ({named[0].about})"
        return Identity("damaged", named[0].name, reason=f"named {extension} but {what}")
    return Identity("not-ours", reason="not-ours: unknown")


def _unmistakable(head: bytes) -> Format | None:
    """Return the format whose signature is its own, so that a wrong or missing extension does not matter."""
    signed = (
        fmt for fmt in FORMATS if fmt.family in {"dm", "tia", "tiff", "sidecar"} or fmt.name in ("bruker-bcf", "nxem")
    )
    return next((fmt for fmt in signed if fmt.starts is not None and head and fmt.starts(head)), None)
