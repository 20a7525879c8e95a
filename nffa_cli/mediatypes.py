"""Media types by the name of a file; what a file really holds is ``identify``'s."""

from __future__ import annotations

from collections.abc import Mapping

MEDIA_TYPES: Mapping[str, str] = {
    ".tif": "image/tiff", ".tiff": "image/tiff", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png",
    ".bmp": "image/bmp", ".txt": "text/plain", ".hdr": "text/plain", ".msa": "text/plain", ".spx": "application/xml",
    ".emd": "application/x-hdf5", ".de5": "application/x-hdf5", ".nxs": "application/x-hdf5", ".json": "application/json",
    ".gz": "application/gzip",
}  # fmt: skip
"""Media types by extension; anything else is bytes."""


def media_type(name: str) -> str:
    """Return the media type that a file's name says."""
    extension = name[name.rfind(".") :].lower() if "." in name else ""
    return MEDIA_TYPES.get(extension, "application/octet-stream")
