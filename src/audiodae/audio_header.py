"""Headers that libsndfile does not read, or write, as they should be.

Of recordings never finished and of streams, which know no length, the size of the sound is zero, all ones, or beyond
the file's end. libsndfile mends some of that and reads nothing of the rest; here the sizes are put right as the file is
read, and the file itself is left as it is.

Layouts: WAV and RF64 (EBU Tech 3306), AU (Sun), CAF (Apple, where a size of -1 is legal).
"""

import os
import struct
from typing import BinaryIO

MAX_CHUNKS = 1000  # looked through for the sound; a file with more is left to libsndfile
AU_HEADER = 24  # bytes, at least
ALL_ONES = 0xFFFFFFFF
# Sizes from here on mean "until the end": sox writes a little less than 2^31, others all ones, or a CAF -1.
SIZE_OF_NO_MEANING = 0x7FFF0000
LONG_SIZE_OF_NO_MEANING = 2**62

Patches = dict[int, bytes]
Found = tuple[Patches, tuple[int, int] | None]


def mended(file: BinaryIO) -> "MendedFile | None":
    """Give the file with its sizes put right, where they are wrong.

    Parameters
    ----------
    file : open for reading, seekable; its position is at its start afterwards
    """
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    try:
        if head[:4] in (b"RIFF", b"RIFX", b"RF64") and head[8:] == b"WAVE":
            patches, cut = _wav_patches(file, head[:4], end)
        elif head[:4] == b".snd":
            patches, cut = _au_patches(head, end)
        elif head[:4] == b"caff":
            patches, cut = _caf_patches(file, end)
        else:
            patches, cut = {}, None
    except struct.error:  # it ends within its header
        patches, cut = {}, None
    file.seek(0)
    return MendedFile(file, patches, cut) if patches else None


def _cut(said: int, room: int, no_meaning: int = SIZE_OF_NO_MEANING) -> tuple[int, int] | None:
    """Give the bytes of sound that a header promises and those that there are, where some are missing."""
    return (said, room) if 0 < room < said < no_meaning else None


def _wav_patches(file: BinaryIO, kind: bytes, end: int) -> Found:
    order = ">" if kind == b"RIFX" else "<"
    position, ds64 = 12, None
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        name, size = struct.unpack(f"{order}4sI", file.read(8))
        start = position + 8
        if name == b"ds64":
            ds64 = start
        elif name == b"data":
            break
        position = start + size + size % 2
    else:
        return {}, None
    room = end - start
    if kind == b"RF64" and ds64 is not None:
        file.seek(ds64)
        _, said, _ = struct.unpack("<QQQ", file.read(24))
        if size == ALL_ONES and not _is_true(file, said, start, end, order):
            return {ds64: struct.pack("<QQQ", end - 8, room, 0)}, _cut(said, room, LONG_SIZE_OF_NO_MEANING)
    elif not _is_true(file, size, start, end, order):
        # libsndfile takes all ones, where the sound is longer too, for "until the end of the file".
        return {4: b"\xff" * 4, start - 4: b"\xff" * 4}, _cut(size, room)
    return {}, None


def _is_true(file: BinaryIO, size: int, start: int, end: int, order: str) -> bool:
    """Find out whether a WAV's sound can have this size: it fits, and if it is none, nothing but chunks follows."""
    if size:
        return size <= end - start
    position = start
    while position + 8 <= end:
        file.seek(position)
        name, size = struct.unpack(f"{order}4sI", file.read(8))
        if not name.isascii() or not name.decode().isprintable():
            return False
        position += 8 + size + size % 2
    return abs(position - end) <= 1  # a last byte of padding is often left out


def _au_patches(head: bytes, end: int) -> Found:
    start, size = struct.unpack(">II", head[4:])
    if start >= AU_HEADER and end > start and (size == 0 or start + size > end):
        return {8: b"\xff" * 4}, _cut(size, end - start)
    return {}, None


def _caf_patches(file: BinaryIO, end: int) -> Found:
    position = 8
    for _ in range(MAX_CHUNKS):
        file.seek(position)
        name, size = struct.unpack(">4sq", file.read(12))
        start = position + 12
        if name == b"data":
            # The sound begins with four bytes that count its edits.
            wrong = size < 4 or start + size > end
            if not wrong or end - start < 4:
                return {}, None
            return {start - 8: struct.pack(">q", end - start)}, _cut(size - 4, end - start - 4, LONG_SIZE_OF_NO_MEANING)
        if not 0 <= size <= end - start:
            return {}, None
        position = start + size
    return {}, None


def make_plain_wav(file: BinaryIO) -> None:
    """Give a WAV that was begun as RF64 the header of a plain one; what is no such WAV stays as it is.

    ::

        before:  RIFF size WAVE | JUNK n ...      | fmt  40, extensible | ... data
        after:   RIFF size WAVE | JUNK n + 24 ...           | fmt  16   | ... data

    Parameters
    ----------
    file : open for reading and writing
    """
    file.seek(0)
    head = file.read(20)
    if head[:4] != b"RIFF" or head[8:16] != b"WAVEJUNK":
        return
    room = struct.unpack("<I", head[16:20])[0]
    file.seek(20 + room)
    name, size, content = struct.unpack("<4sI40s", file.read(48))
    if name != b"fmt " or size != 40:
        return
    short = content[24:26] + content[2:16]  # what the sound is coded by stands first in the long name of the coding
    file.seek(12)
    file.write(struct.pack("<4sI", b"JUNK", room + 24) + bytes(room + 24) + struct.pack("<4sI", b"fmt ", 16) + short)


class MendedFile:
    """A file in which some bytes read as others; what soundfile needs to read from it.

    libsndfile calls from C, where an exception would be printed and forgotten: it is kept in `error`.

    Attributes
    ----------
    cut : the bytes of sound that the header promises and those that there are, or None where none are missing
    """

    def __init__(self, file: BinaryIO, patches: Patches, cut: tuple[int, int] | None = None) -> None:
        self._file, self._patches, self.cut = file, patches, cut
        self.error: BaseException | None = None

    def read(self, size: int = -1) -> bytes:
        """Read bytes at the position."""
        try:
            start = self._file.tell()
            content = bytearray(self._file.read(size))
            for position, patch in self._patches.items():
                first, last = max(position, start), min(position + len(patch), start + len(content))
                if first < last:
                    content[first - start : last - start] = patch[first - position : last - position]
            return bytes(content)
        except BaseException as error:
            self.error = error
            return b""

    def seek(self, position: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position."""
        return self._file.seek(position, whence)

    def tell(self) -> int:
        """Give the position."""
        return self._file.tell()
