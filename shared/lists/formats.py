"""Finds the kind of a file, by its content first, and tells the sender what to do with a file that is not a list.

Offices send what they have: Word files, PDFs, photographs, workbooks with a password. For each, one line says what the
file is and how to save it so that it can be read.
"""

from __future__ import annotations

import codecs
import re
import zipfile
from pathlib import PurePath
from typing import BinaryIO, Literal

from shared.lists.errors import ListError
from shared.lists.source import Source

Format = Literal["csv", "xlsx", "jsonl"]

_HEAD_BYTES = 8_192
_PIECE_BYTES = 1 << 20
_OLE = b"\xd0\xcf\x11\xe0"
_ZIP_MARKS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_SAVE_ID = "simpan sebagai Buku Kerja Excel (.xlsx) atau CSV UTF-8, lalu kirim lagi"
_SAVE_EN = "save it as an Excel Workbook (.xlsx) or CSV UTF-8 and send it again"

# The first bytes of files that are surely not lists, and what they are: Indonesian, English.
_BEGINNINGS: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "PDF", "a PDF"),
    (b"\x89PNG", "gambar (PNG)", "a picture (PNG)"),
    (b"\xff\xd8\xff", "gambar (JPEG)", "a picture (JPEG)"),
    (b"GIF8", "gambar (GIF)", "a picture (GIF)"),
    (b"RIFF", "gambar, suara atau video", "a picture, sound or video"),
    (b"II*\x00", "gambar (TIFF)", "a picture (TIFF)"),
    (b"MM\x00*", "gambar (TIFF)", "a picture (TIFF)"),
    (b"{\\rtf", "dokumen RTF", "an RTF document"),
    (b"\x1f\x8b", "arsip gzip", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "arsip 7z", "a 7z archive"),
    (b"Rar!", "arsip RAR", "a RAR archive"),
    (b"\xfd7zXZ", "arsip xz", "an xz archive"),
    (b"BZh", "arsip bzip2", "a bzip2 archive"),
    (b"\x28\xb5\x2f\xfd", "arsip zstd", "a zstd archive"),
    (b"SQLite format 3", "basis data SQLite", "an SQLite database"),
    (b"\x00\x01\x00\x00Standard", "basis data Access", "an Access database"),
    (b"PAR1", "berkas Parquet", "a Parquet file"),
    (b"MZ", "program", "a program"),
    (b"\x7fELF", "program", "a program"),
    (b"MIME-Version:", "halaman web tersimpan (MHTML)", "a saved web page (MHTML)"),
)
_MARKUP = re.compile(rb"\s*<(\?xml|!doctype|html|head|body|table|meta|style|script|div|svg|!--)", re.IGNORECASE)
_XML_OF_EXCEL = b"urn:schemas-microsoft-com:office:spreadsheet"


def format_of(source: Source) -> Format:
    """The kind of list; for a file that no reader can read it raises ListError, which says what to do."""
    try:
        with source.open() as file:
            head = file.read(_HEAD_BYTES)
            suffix = PurePath(source.name).suffix.lower()
            if not head.strip(b"\xef\xbb\xbf \t\r\n"):
                raise ListError("Berkas kosong.", "The file is empty.")
            if head.startswith(_ZIP_MARKS):
                return _format_of_zip(file)
            if head.startswith(_OLE):
                raise _ole(file, suffix)
    except OSError as error:
        raise ListError(
            f"Berkas tidak dapat dibuka: {source.name}.", f"The file cannot be opened: {source.name}."
        ) from error
    return _format_of_text(head, suffix)


def _format_of_text(head: bytes, suffix: str) -> Format:
    for beginning, text_id, text_en in _BEGINNINGS:
        # Two letters may also begin a heading; then text follows them.
        if head.startswith(beginning) and (len(beginning) > 2 or b"\x00" in head[:64] or beginning == b"\x1f\x8b"):
            raise no_list(text_id, text_en)
    if head[4:8] == b"ftyp":
        raise no_list("gambar atau video", "a picture or video")
    start = _plain_start(head)
    if _XML_OF_EXCEL in start:
        raise no_list("Lembar Bentang XML 2003", "an XML Spreadsheet 2003")
    if _MARKUP.match(start):
        raise no_list("halaman web atau XML, walau bernama lain", "a web page or XML, whatever its name")
    if suffix in (".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"):
        if b"\x00" in head and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise no_list("bukan buku kerja Excel, atau rusak", "no Excel workbook, or a broken one")
        if not _looks_like_text(head):
            raise no_list("bukan buku kerja Excel, atau rusak", "no Excel workbook, or a broken one")
    return "jsonl" if suffix in (".jsonl", ".ndjson", ".json") or start.lstrip().startswith(b"{") else "csv"


def _looks_like_text(head: bytes) -> bool:
    """Whether a file named like a workbook is really a CSV: its lines have separators."""
    first = next((line for line in head.splitlines() if line.strip()), b"")
    return any(mark in first for mark in (b",", b";", b"\t")) or b"\x00" in head


def _plain_start(head: bytes) -> bytes:
    """The beginning without its byte order mark, one byte per letter."""
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return head[2:].replace(b"\x00", b"")
    return head.removeprefix(codecs.BOM_UTF8)


def _format_of_zip(file: BinaryIO) -> Format:
    try:
        with zipfile.ZipFile(file) as archive:
            entries = archive.infolist()
            names = {entry.filename for entry in entries}
            if any(entry.flag_bits & 1 for entry in entries):
                raise no_list("arsip ZIP dengan kata sandi", "a ZIP archive with a password")
            if "mimetype" in names:
                raise _open_document(archive)
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError) as error:
        raise broken_workbook() from error
    if any(name.lower() == "xl/workbook.bin" for name in names):
        raise no_list("buku kerja biner (.xlsb)", "a binary workbook (.xlsb)")
    if any(name.startswith("word/") for name in names):
        raise no_list("dokumen Word", "a Word document")
    if any(name.startswith("ppt/") for name in names):
        raise no_list("presentasi PowerPoint", "a PowerPoint presentation")
    if any(name.startswith("Index/") and name.endswith(".iwa") for name in names):
        raise no_list("dokumen Apple Numbers", "an Apple Numbers document")
    if any(name.lower().startswith("xl/") for name in names) or "[Content_Types].xml" in names:
        return "xlsx"
    raise ListError(
        "Berkas ini arsip ZIP; buka arsipnya, lalu kirim daftar di dalamnya (.xlsx atau CSV UTF-8).",
        "This file is a ZIP archive; open it and send the list that is in it (.xlsx or CSV UTF-8).",
    )


def _open_document(archive: zipfile.ZipFile) -> ListError:
    with archive.open("mimetype") as file:
        kind = file.read(200)
    if b"spreadsheet" in kind:
        return no_list("lembar bentang OpenDocument (.ods)", "an OpenDocument spreadsheet (.ods)")
    return no_list("dokumen OpenDocument", "an OpenDocument document")


def _ole(file: BinaryIO, suffix: str) -> ListError:
    """The refusal of an OLE container: old Office files, and workbooks with a password."""
    file.seek(0)
    marks = {name: name.encode("utf-16-le") for name in ("EncryptedPackage", "WordDocument", "PowerPoint", "Workbook")}
    found: set[str] = set()
    before = b""
    while piece := file.read(_PIECE_BYTES):
        joined = before + piece
        found |= {name for name, mark in marks.items() if mark in joined}
        before = piece[-64:]
    if "EncryptedPackage" in found:
        return _password()
    if "WordDocument" in found:
        return no_list("dokumen Word lama (.doc)", "an old Word document (.doc)")
    if "PowerPoint" in found:
        return no_list("presentasi PowerPoint lama (.ppt)", "an old PowerPoint presentation (.ppt)")
    if "Workbook" in found or suffix == ".xls":
        return no_list("buku kerja Excel lama (.xls)", "an old Excel workbook (.xls)")
    return _password() if suffix in (".xlsx", ".xlsm") else no_list("berkas Office lama", "an old Office file")


def _password() -> ListError:
    return ListError(
        "Berkas ini dilindungi kata sandi, atau buku kerja Excel lama; buka di Excel, hapus kata sandinya, simpan "
        "sebagai Buku Kerja Excel (.xlsx) atau CSV UTF-8, lalu kirim lagi.",
        "This file is protected by a password, or an old Excel workbook; open it in Excel, remove the password, save "
        "it as an Excel Workbook (.xlsx) or CSV UTF-8 and send it again.",
    )


def no_list(text_id: str, text_en: str) -> ListError:
    """The refusal of a file that is something else."""
    return ListError(f"Berkas ini {text_id}; {_SAVE_ID}.", f"This file is {text_en}; {_SAVE_EN}.")


def strict_workbook() -> ListError:
    """The refusal of a workbook saved as Strict Open XML, which writes dates and parts differently."""
    return no_list("buku kerja Strict Open XML", "a Strict Open XML workbook")


def broken_workbook() -> ListError:
    """A workbook that cannot be read."""
    return ListError(
        "Berkas XLSX rusak; buka di Excel, simpan ulang, lalu kirim lagi.",
        "The XLSX file is broken; open it in Excel, save it again and send it again.",
    )
