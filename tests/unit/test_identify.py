"""What a file is, by its bytes; names only where bytes cannot tell."""

from __future__ import annotations

import pytest

from nffa_cli.identify import FORMATS, identify

DM3 = b"\0\0\0\3\0\1\0\0\0\0\0\1"
DM4 = b"\0\0\0\4" + b"\0" * 7 + b"\x10\0\0\0\1"
TIF = b"II*\0\x08\0\0\0"


@pytest.mark.parametrize(
    ("name", "head", "verdict", "format", "family"),
    [
        ("a.dm3", DM3, "ours", "gatan-dm3", "dm"),
        ("a.DM4", DM4, "ours", "gatan-dm4", "dm"),
        ("a.dm4", DM3, "ours", "gatan-dm3", "dm"),
        ("a.tif", DM3, "ours", "gatan-dm3", "dm"),
        ("noextension", DM3, "ours", "gatan-dm3", "dm"),
        ("a.dm3", TIF, "ours", "tiff", "tiff"),
        ("a.tif", b"MM\0+\0\x08\0\0", "ours", "tiff", "tiff"),
        ("a_1.ser", b"II\x97\x01\x20\x02", "ours", "tia", "tia"),
        ("a.emi", b"JK\0\2\0\0", "ours", "tia", "tia"),
        ("a.emd", b"\x89HDF\r\n\x1a\n", "ours", "emd", "emd"),
        ("a.h5", b"\x89HDF\r\n\x1a\n", "ours", "nxem", "emd"),
        ("a.nxs", b"\x89HDF\r\n\x1a\n", "ours", "nxem", "emd"),
        ("a.nxs", bytes(512) + b"\x89HDF\r\n\x1a\n", "ours", "nxem", "emd"),
        ("a.h5oina", b"\x89HDF\r\n\x1a\n", "ours", "nxem", "emd"),
        ("a.h5", b"text", "not-ours", None, None),
        ("a.nxs", b"text", "damaged", "nxem", None),
        ("a.nxs", b"\x0e\x03\x13\x01", "not-ours", None, None),
        ("a.txt", "\ufeff[SemImageFile]\r\n".encode("utf-16-le"), "ours", "hitachi-sem-tiff", "sidecar"),
        ("a.txt", b"[SemImageFile]\r\nInstructName=SU8000", "ours", "hitachi-sem-tiff", "sidecar"),
        ("a.txt", b"Version=02-01\r\nInstructName=TM0000\r\n", "ours", "hitachi-sem-tiff", "sidecar"),
        ("a.txt", b"Of the keys, InstructName=TM0000 names the model", "not-ours", None, None),
        ("a.txt", "[SemImageFile]\r\nInstructName=X".encode("utf-16-le"), "ours", "hitachi-sem-tiff", "sidecar"),
        ("a.txt", b"[TemImageFile]\r\nInstructName=HT7800", "ours", "hitachi-sem-tiff", "sidecar"),
        ("a.txt", "\ufeff[TemImageFile]\r\n".encode("utf-16-le"), "ours", "hitachi-sem-tiff", "sidecar"),
        ("a.txt", "buy milk".encode("utf-16-le"), "not-ours", None, None),
        ("a.txt", b"$CM_FORMAT JEOL/EM\r\n", "ours", "jeol-sem-tiff", "sidecar"),
        ("a.hdr", b"[MAIN]\nAccFrames=1\n", "ours", "tescan-sem-tiff", "sidecar"),
        ("a.hdr", b"ENVI\n", "not-ours", None, None),
        ("a.txt", b"buy milk", "not-ours", None, None),
        ("a.sxm", b":NANONIS_VERSION:\n2", "not-ours", None, None),
        ("default_2021--4_1.Z_mtrx", b"ONTMATRX0101", "not-ours", None, None),
        ("a.msa", b"#FORMAT      : EMSA/MAS Spectral Data File\r\n", "ours", "emsa-msa", "rosetta"),
        ("a.msa", b"\xef\xbb\xbf#FORMAT      : EMSA/MAS Spectral Data File\r\n", "ours", "emsa-msa", "rosetta"),
        ("a.emsa", b"\r\n \n#FORMAT      : EMSA/MAS Spectral Data File\n", "ours", "emsa-msa", "rosetta"),
        ("a.msa", b"\r\nnotes", "damaged", "emsa-msa", None),
        ("a.txt", b"#FORMAT      : EMSA/MAS Spectral Data File\r\n", "ours", "emsa-msa", "rosetta"),
        ("a.TXT", b"\xef\xbb\xbf\r\n#FORMAT: EMSA/MAS SPECTRAL DATA STANDARD\r\n", "ours", "emsa-msa", "rosetta"),
        ("a.txt", b"#FORMAT of these notes\nas in EMSA/MAS\n", "not-ours", None, None),
        ("a.sur", b"DIGITAL SURF\0\0\1\0", "ours", "rosetta-digitalsurf", "rosetta"),
        ("a.SUR", b"DSCOMPRESSED\0\0\1\0", "ours", "rosetta-digitalsurf", "rosetta"),
        ("a.sur", b"SURFER", "damaged", "rosetta-digitalsurf", None),
        ("a.pdf", b"%PDF-1.7", "not-ours", None, None),
        ("a.weird", b"????", "not-ours", None, None),
        ("a.dm3", b"hello world", "damaged", "gatan-dm3", None),
        ("a.dm3", b"", "damaged", "gatan-dm3", None),
        ("a.tif", b"\0" * 4096, "damaged", "tiff", None),
    ],
)
def test_identify(name, head, verdict, format, family):
    found = identify(name, head)
    assert (found.verdict, found.format, found.family) == (verdict, format, family)
    assert found.reason or verdict == "ours"


def test_the_table_is_whole():
    for each in FORMATS:
        assert each.about
        assert all(extension == extension.lower() and extension.startswith(".") for extension in each.extensions)
