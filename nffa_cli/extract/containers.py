"""How many bytes a file of a format must have to be complete, from the file's own header or end mark.

Standard library only; opens the file, reads a few kilobytes, never parses contents. Not a reader: it answers one
question before a compiled or endlessly patient library sees the bytes (a cut bcf kills it, a cut elid makes it loop for
ever).

``needs`` gives the declared length where the format declares one. Formats that only have an end mark (bzip2, XML, text)
need the size they have when the mark is there, and one byte more when it is not.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable
from typing import BinaryIO

from nffa_cli.errors import UnreadableFile

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_SFS_START = 0x118
_SFS_CHUNK_HEADER = 32
_SFS_ITEM = 512
_MRC_BITS = {0: 8, 1: 16, 2: 32, 3: 32, 4: 64, 6: 16, 12: 16}
_EDAX_FULL_HEADER = 20994
_JEOL_PARAMETERS = 340
_JEOL_TRAILER = bytes(8) + b"\x01" + bytes(25)
_TAIL = 4096


def needs(path: str, format: str) -> int | None:
    """Return how many bytes the file must hold to be complete; None: this format cannot be judged from outside.

    Parameters
    ----------
    path
        The main file.
    format
        A name that ``identify`` gives, e.g. ``bruker-bcf``.

    Raises
    ------
    UnreadableFile
        The header itself is missing (``truncated``) or contradicts itself (``corrupt``).
    """
    judge = _JUDGES.get(format)
    if judge is None:
        return None
    with open(path, "rb") as file:  # noqa: PTH123 - text paths may hold bytes that are no UTF-8
        size = os.fstat(file.fileno()).st_size
        try:
            return judge(file, size)
        except struct.error as error:
            raise UnreadableFile(
                f"the header ends at byte {size}", code="truncated", where=path, hint="copy the file again"
            ) from error
        except UnreadableFile as error:
            error.where = path
            raise


def _fields(file: BinaryIO, layout: str, offset: int) -> tuple[int, ...]:
    file.seek(offset)
    return struct.unpack(layout, file.read(struct.calcsize(layout)))


def _corrupt(what: str) -> UnreadableFile:
    return UnreadableFile(what, code="corrupt", hint="copy the file again from the instrument")


def _never_written(what: str) -> UnreadableFile:
    """Return the error of a file that has its length but ends in zeros where its format has none: a copy that stopped."""
    return UnreadableFile(what, code="zero-tail", hint="wait until it is copied, or copy it again")


def _tail(file: BinaryIO, size: int, length: int = _TAIL) -> bytes:
    file.seek(max(0, size - length))
    return file.read(length)


# --- HDF5 (Velox, NCEM): the superblock says where the file ends ---


def hdf5_end(file: BinaryIO, size: int) -> int:
    """Return the end-of-file address of an HDF5 superblock, versions 0 to 3 (HDF5 File Format Specification, II.A)."""
    offset = 0
    while True:  # the superblock lies at 0, 512, 1024, 2048 …
        file.seek(offset)
        if file.read(8) == HDF5_SIGNATURE:
            break
        offset = max(512, offset * 2)
        if offset >= size:
            raise _corrupt("no HDF5 superblock")
    (version,) = _fields(file, "<B", offset + 8)
    if version in (0, 1):
        (width,) = _fields(file, "<B", offset + 13)
        at = offset + (24 if version == 0 else 28) + 2 * width
    elif version in (2, 3):
        (width,) = _fields(file, "<B", offset + 9)
        at = offset + 12 + 2 * width
    else:
        raise _corrupt(f"HDF5 superblock of unknown version {version}")
    if width not in (2, 4, 8):
        raise _corrupt(f"HDF5 addresses of {width} bytes")
    file.seek(at)
    raw = file.read(width)
    if len(raw) < width:
        raise struct.error("superblock cut")
    return int.from_bytes(raw, "little")


# --- Bruker bcf: AidAim "single file system", chunks of equal size ---


def _sfs(file: BinaryIO, size: int) -> int:
    """Return the end of the last chunk, after walking the file table and every file's pointer table.

    The container's header gives the chunk size, the address of the file table and the number of chunks. Chunk i lies at
    0x118 + i × chunk size and starts with a header of 32 bytes whose first number chains tables that outgrow one chunk;
    only a chunk that is not in use has a header of zeros.
    """
    file.seek(0)
    if file.read(8) != b"AAMVHFSS":
        raise _corrupt("no SFS container")
    (chunk,) = _fields(file, "<I", 0x128)
    tree, items, chunks = _fields(file, "<III", 0x140)
    if not 1024 <= chunk <= 1 << 24 or chunks == 0:
        raise _corrupt(f"SFS chunks of {chunk} bytes, {chunks} of them")
    end = _SFS_START + chunks * chunk
    if end > size:
        return end
    usable = chunk - _SFS_CHUNK_HEADER
    if items * _SFS_ITEM > size:
        raise _corrupt(f"SFS file table of {items} entries")
    table = _sfs_chain(file, tree, -(-items // (usable // _SFS_ITEM)), usable // _SFS_ITEM * _SFS_ITEM, chunk, chunks)
    found_file, last = False, 0
    for index in range(items):
        entry = table[index * _SFS_ITEM : (index + 1) * _SFS_ITEM]
        first, length = struct.unpack_from("<iQ", entry)
        if entry[0xDC]:  # a folder
            continue
        found_file = True
        if length > size:
            raise _corrupt(f"SFS entry {index} of {length} bytes in a file of {size}")
        count = -(-length // usable)
        pointers = _sfs_chain(file, first, -(-count // (usable // 4)), usable // 4 * 4, chunk, chunks)
        used = (pointer for (pointer,) in struct.iter_unpack("<I", pointers[: count * 4]))
        last = max(last, max(used, default=0))
        if last >= chunks:
            raise _corrupt(f"SFS entry {index} points beyond the last chunk")
        _aacs(file, pointers, length, chunk)
    if not found_file:
        raise _corrupt("SFS container without files")
    if not any(_fields(file, "<4Q", _SFS_START + last * chunk)):
        raise _never_written(f"SFS chunk {last} is in use and all zero")
    return end


def _sfs_chain(file: BinaryIO, first: int, links: int, useful: int, chunk: int, chunks: int) -> bytes:
    """Return the payload of ``links`` chained chunks, of which ``useful`` bytes each count."""
    parts = []
    for _ in range(links):
        if not 0 <= first < chunks:
            raise _corrupt(f"SFS table in chunk {first} of {chunks}")
        start = _SFS_START + first * chunk
        (first,) = _fields(file, "<I", start)
        file.seek(start + _SFS_CHUNK_HEADER)
        parts.append(file.read(useful))
    return b"".join(parts)


def _aacs(file: BinaryIO, pointers: bytes, length: int, chunk: int) -> None:
    """Walk the chain of compressed blocks of one entry: each says its length, all lie inside the entry."""
    usable = chunk - _SFS_CHUNK_HEADER

    def piece(offset: int, count: int) -> bytes:
        parts = []
        while count > 0 and offset < length:
            (pointer,) = struct.unpack_from("<I", pointers, offset // usable * 4)
            within = offset % usable
            take = min(count, usable - within)
            file.seek(_SFS_START + pointer * chunk + _SFS_CHUNK_HEADER + within)
            parts.append(file.read(take))
            offset, count = offset + take, count - take
        return b"".join(parts)

    if length < 128:
        return
    magic, _, _, blocks = struct.unpack("<4sIII", piece(0, 16))
    if magic != b"AACS":  # stored without compression
        return
    offset = 128
    for block in range(blocks):
        header = piece(offset, 16)
        if len(header) < 16:
            raise _corrupt(f"compressed block {block} of {blocks} is missing")
        offset += 16 + struct.unpack_from("<I", header)[0]
        if offset > length:
            raise _corrupt(f"compressed block {block} of {blocks} runs over the end of its entry")


# --- end marks ---


def _bzip2(file: BinaryIO, size: int) -> int:
    """bzip2 ends with the 48-bit mark 0x177245385090 and a 32-bit checksum, padded to a whole byte."""
    tail = int.from_bytes(_tail(file, size, 11), "big")
    complete = any(tail >> (32 + pad) & (1 << 48) - 1 == 0x177245385090 for pad in range(8))
    return size if complete else size + 1


def _spx(file: BinaryIO, size: int) -> int:
    return size if _tail(file, size).rstrip().endswith(b"</TRTSpectrum>") else size + 1


def _msa(file: BinaryIO, size: int) -> int:
    """ISO 22029 ends a spectrum with the keyword ENDOFDATA and its colon."""
    keyword, _, rest = _tail(file, size).upper().rpartition(b"#ENDOFDATA")
    return size if keyword and rest.lstrip().startswith(b":") else size + 1


def _zip(file: BinaryIO, size: int) -> int:
    """Find the end record of the archive's directory, and behind it a comment of the length given there."""
    tail = _tail(file, size, 22 + 65535)
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + 22 > len(tail):
        return size + 1
    return max(0, size - len(tail)) + at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little")


# --- headers with counts ---


def _mrc(file: BinaryIO, size: int) -> int:
    """MRC2014: 1024 bytes, an extended header of NSYMBT bytes (word 24), then nx × ny × nz values of the mode."""
    file.seek(212)
    order = ">" if file.read(2) == b"\x11\x11" else "<"
    nx, ny, nz, mode = _fields(file, order + "4i", 0)
    (extended,) = _fields(file, order + "i", 92)
    if min(nx, ny, nz, extended) < 0 or not nx * ny * nz:
        raise _corrupt(f"MRC of {nx} × {ny} × {nz} values")
    if mode == 101:  # two 4-bit values a byte, each row starts on a byte
        return 1024 + extended + -(-nx // 2) * ny * nz
    if mode not in _MRC_BITS:
        raise _corrupt(f"MRC mode {mode} is not known")
    return 1024 + extended + nx * ny * nz * _MRC_BITS[mode] // 8


def _blockfile(file: BinaryIO, size: int) -> int:
    """Each pattern is preceded by six bytes: the mark 0xAA55 and its number."""
    (start,) = _fields(file, "<I", 12)
    (side,) = _fields(file, "<H", 20)
    nx, ny = _fields(file, "<HH", 24)
    if not (start and side and nx and ny):
        raise _corrupt(f"block file of {ny} × {nx} patterns of {side} pixels")
    frame = 6 + side * side
    end = start + nx * ny * frame
    if end <= size and not any(_fields(file, "<HI", end - frame)):
        raise _never_written("the last pattern has no mark, only zeros")
    return end


def _spc(file: BinaryIO, size: int) -> int:
    """EDAX: data start at byte 28, number of channels at 32; from version 0.7 tables follow up to a fixed end."""
    (version,) = struct.unpack("<f", struct.pack("<i", *_fields(file, "<i", 0)))
    (start,) = _fields(file, "<i", 28)
    (channels,) = _fields(file, "<h", 32)
    if not 0.0 < version < 100.0 or start < 34 or channels <= 0:
        raise _corrupt(f"EDAX spectrum version {version:g} of {channels} channels at byte {start}")
    end = start + 4 * channels
    return max(end, _EDAX_FULL_HEADER) if round(version, 2) >= 0.7 else end


def _spd(file: BinaryIO, size: int) -> int:
    points, lines, channels, width, start = _fields(file, "<5I", 24)
    if not (points and lines and channels) or width not in (1, 2, 4):
        raise _corrupt(f"EDAX map of {lines} × {points} × {channels} counts of {width} bytes")
    return start + points * lines * channels * width


def _jeol_eds(file: BinaryIO, size: int) -> int:
    """Return the end of the parameter block behind the channels, walking the counted tables between them.

    Layout as RosettaSciIO's JEOL reader knows it: channels from byte 458; excluded elements; selected elements with
    their lines; quantification results; a block of parameters of fixed length that begins with the number 5. Behind it
    lies a trailer whose meaning nobody has told: one that breaks off is missed, another one or none is taken as it is.
    """
    (channels,) = _fields(file, "<i", 454)
    if not 0 < channels <= 1 << 20:
        raise _corrupt(f"JEOL spectrum of {channels} channels")
    at = 458 + 4 * channels

    def count(offset: int) -> int:
        (number,) = _fields(file, "<i", offset)
        if not 0 <= number <= 1000:
            raise _corrupt(f"JEOL table of {number} entries at byte {offset}")
        return number

    at += 8 + 2 * count(at + 4)
    elements, at = count(at), at + 4
    for _ in range(elements):
        lines, at = count(at + 100), at + 104
        for _ in range(lines):
            at += 14
            for _ in range(2):  # element and line, each a text with its length
                at += 1 + _fields(file, "<B", at)[0]
            at += 4
    results, at = count(at), at + 4
    if results:
        at += 28 + results * 126
    if _fields(file, "<i", at) == (5,):
        at += 4 + _JEOL_PARAMETERS
        trailer = _tail(file, size, max(0, size - at)) if size - at < len(_JEOL_TRAILER) else b""
        if trailer and _JEOL_TRAILER.startswith(trailer):
            at += len(_JEOL_TRAILER)
    return at


def _jeol_pts(file: BinaryIO, size: int) -> int:
    (magic,) = _fields(file, "<I", 0)
    head, head_length, data, data_length = _fields(file, "<4I", 20)
    if magic != 304 or data < head:
        raise _corrupt("no JEOL spectrum image")
    return max(head + head_length, data + data_length)


def _mib(file: BinaryIO, size: int) -> int:
    """Merlin: every frame has a text header that gives its own length, the width, the height and the type of counts."""
    file.seek(0)
    words = file.read(384).split(b",")
    try:
        header, width, height = int(words[2]), int(words[4]), int(words[5])
        bits = {b"U01": 8, b"U08": 8, b"U16": 16, b"U32": 32, b"U64": 64, b"R64": 64}[words[6].strip()]
    except (IndexError, ValueError, KeyError) as error:
        raise _corrupt("no Merlin frame header") from error
    if words[6].strip() == b"R64":  # raw counts of mixed depth: only the header can be trusted
        return header
    frame = header + width * height * bits // 8
    if frame <= header:
        raise _corrupt(f"Merlin frames of {height} × {width} pixels")
    if size % frame == 0 and not any(_fields(file, "<Q", size - frame)):
        raise _never_written("the last frame has no header, only zeros")
    return -(-size // frame) * frame


def _tvips(file: BinaryIO, size: int) -> int:
    """Round up to whole frames: a main header of its own length, then frames of header and pixels, counted nowhere."""
    start, version, dimx, dimy, bits = _fields(file, "<5I", 0)
    (extra,) = _fields(file, "<I", 48)
    frame = (12 if version == 1 else extra) + dimx * dimy * bits // 8
    if version not in (1, 2) or bits not in (8, 16, 32) or not dimx * dimy or start < 52:
        raise _corrupt(f"TVIPS stream of {dimy} × {dimx} pixels of {bits} bits")
    end = start + max(1, -(-(size - start) // frame)) * frame
    if end == size and any(_fields(file, "<12B", start)) and not any(_fields(file, "<12B", end - frame)):
        raise _never_written("the last frame has no header, only zeros")
    return end


_JUDGES: dict[str, Callable[[BinaryIO, int], int]] = {
    "emd": hdf5_end,
    "velox-emd": hdf5_end,
    "ncem-emd": hdf5_end,
    "rosetta-de5": hdf5_end,
    "bruker-bcf": _sfs,
    "bruker-spx": _spx,
    "emsa-msa": _msa,
    "edax-spc": _spc,
    "edax-spd": _spd,
    "jeol-eds": _jeol_eds,
    "rosetta-jeol-pts": _jeol_pts,
    "phenom-elid": _bzip2,
    "mrc": _mrc,
    "blockfile": _blockfile,
    "rosetta-mib": _mib,
    "rosetta-prz": _zip,
    "rosetta-tvips": _tvips,
}
"""Format to the function that judges it."""
