"""The sheets: A4, ten stickers a page, a new page for every RT. Nothing on a sticker says who the worker is."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from typing import Any

import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase.pdfmetrics import stringWidth
from reportlab.pdfgen.canvas import Canvas

from services.registration.stickers.api.printed import Printed
from shared.kernel.calendar import long_date

COLUMNS, ROWS = 2, 5
PER_PAGE = COLUMNS * ROWS
WIDTH, HEIGHT = 95 * mm, 54 * mm
LEFT, TOP = 10 * mm, A4[1] - 20 * mm
QR = 44 * mm
TEXT = WIDTH - QR - 9 * mm
_INK, _SOFT, _FILL, _WARN = HexColor("#16242c"), HexColor("#54646d"), HexColor("#0b7a75"), HexColor("#c1121f")


def pdf(
    stickers: Sequence[Printed], names: tuple[str, str, str], code: str, today: date, *, sample: bool = False
) -> bytes:
    """The sheets of one village as PDF; `names` are those of the village, its district and its regency.

    With `sample` every sticker is marked, because its code leads nowhere.
    """
    village = names[0]
    out = io.BytesIO()
    canvas: Any = Canvas(out, pagesize=A4, pageCompression=1, invariant=1)
    canvas.setTitle(f"Stiker {village} {code}")
    canvas.setAuthor("Payung")
    ordered = sorted(stickers, key=lambda one: (one.rt == "", one.rt, one.sticker_no))
    for rt, group in groupby(ordered, key=lambda one: one.rt):
        of_rt = list(group)
        pages = -(-len(of_rt) // PER_PAGE)
        for page in range(pages):
            head = f"{village} ({code})  ·  {f'RT {rt}' if rt else 'RT tidak tercatat'}  ·  lembar {page + 1}/{pages}"
            _page(canvas, f"{head}  ·  dicetak {long_date(today)}", of_rt[page * PER_PAGE :][:PER_PAGE], names, sample)
    canvas.save()
    return out.getvalue()


def _page(canvas: Any, head: str, stickers: Sequence[Printed], names: tuple[str, str, str], sample: bool) -> None:
    canvas.setFillColor(_SOFT)
    canvas.setFont("Helvetica", 9)
    canvas.drawString(LEFT, A4[1] - 14 * mm, f"CONTOH, jangan dipasang  ·  {head}" if sample else head)
    for place, one in enumerate(stickers):
        row, column = divmod(place, COLUMNS)
        x, y = LEFT + column * WIDTH, TOP - (row + 1) * HEIGHT
        _sticker(canvas, x, y, one, names)
        if sample:
            _mark(canvas, x, y)
    canvas.showPage()


def _mark(canvas: Any, x: float, y: float) -> None:
    canvas.saveState()
    canvas.translate(x + WIDTH / 2, y + HEIGHT / 2)
    canvas.rotate(25)
    canvas.setFillColor(_WARN)
    canvas.setFillAlpha(0.55)
    canvas.setFont("Helvetica-Bold", 44)
    canvas.drawCentredString(0, -14, "CONTOH")
    canvas.restoreState()


def _sticker(canvas: Any, x: float, y: float, one: Printed, names: tuple[str, str, str]) -> None:
    village, district, regency = names
    canvas.setStrokeColor(_SOFT)
    canvas.setLineWidth(0.3)
    canvas.setDash(2, 2)
    canvas.rect(x, y, WIDTH, HEIGHT)
    canvas.setDash()
    canvas.drawImage(_code(one.url), x + WIDTH - QR - 3 * mm, y + (HEIGHT - QR) / 2, QR, QR)
    at = x + 5 * mm
    canvas.setFillColor(_FILL)
    canvas.rect(x, y + HEIGHT - 3 * mm, WIDTH, 3 * mm, stroke=0, fill=1)
    canvas.setFont("Helvetica-Bold", 13)
    canvas.drawString(at, y + 41 * mm, "TERLINDUNGI")
    canvas.setFillColor(_INK)
    for text, size, bold, height in (
        ("BPJS Ketenagakerjaan", 9, True, 35.5),
        ("Jaminan Kecelakaan Kerja", 7.5, False, 31.5),
        ("dan Jaminan Kematian", 7.5, False, 28),
        # A person who scans the code compares these with the page: a sticker from another house is a copy.
        (village, 8, True, 24),
        (f"Kec. {district}", 7, False, 20.8),
        (regency, 7, False, 17.8),
        (f"Berlaku sampai {long_date(one.valid_until)}", 7.5, True, 13),
        (f"No. {one.sticker_no}", 8.5, True, 7.5),
        ("Pindai untuk memeriksa", 6.5, False, 3.5),
    ):
        font = "Helvetica-Bold" if bold else "Helvetica"
        # A long name is set smaller, so that it never runs under the code.
        canvas.setFont(font, min(size, size * TEXT / stringWidth(text, font, size)))
        canvas.drawString(at, y + height * mm, text)


def _code(url: str) -> ImageReader:
    # Error correction M still reads with 15 % of the code gone; a tenth of a sheet may be torn or painted over.
    image = io.BytesIO()
    segno.make_qr(url, error="m").save(image, kind="png", scale=6, border=3)
    image.seek(0)
    return ImageReader(image)
