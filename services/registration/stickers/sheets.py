"""The sheets: A4, ten stickers a page, a page begins with every RT. Nothing on a sticker says whose it is."""

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
from reportlab.pdfgen.canvas import Canvas

from services.registration.stickers.printed import Printed
from shared.kernel.calendar import long_date

COLUMNS, ROWS = 2, 5
PER_PAGE = COLUMNS * ROWS
WIDTH, HEIGHT = 95 * mm, 54 * mm
LEFT, TOP = 10 * mm, A4[1] - 20 * mm
QR = 44 * mm
_INK, _SOFT, _FILL = HexColor("#16242c"), HexColor("#54646d"), HexColor("#0b7a75")


def pdf(stickers: Sequence[Printed], village: str, code: str, regency: str, today: date) -> bytes:
    """The sheets of one village."""
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
            _page(canvas, f"{head}  ·  dicetak {long_date(today)}", of_rt[page * PER_PAGE :][:PER_PAGE], regency)
    canvas.save()
    return out.getvalue()


def _page(canvas: Any, head: str, stickers: Sequence[Printed], regency: str) -> None:
    canvas.setFillColor(_SOFT)
    canvas.setFont("Helvetica", 9)
    canvas.drawString(LEFT, A4[1] - 14 * mm, head)
    for place, one in enumerate(stickers):
        row, column = divmod(place, COLUMNS)
        _sticker(canvas, LEFT + column * WIDTH, TOP - (row + 1) * HEIGHT, one, regency)
    canvas.showPage()


def _sticker(canvas: Any, x: float, y: float, one: Printed, regency: str) -> None:
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
        (regency, 7.5, False, 23.5),
        ("Berlaku sampai", 7.5, False, 18),
        (long_date(one.valid_until), 10, True, 13.5),
        (f"No. {one.sticker_no}", 8.5, True, 7.5),
        ("Pindai untuk memeriksa", 6.5, False, 3.5),
    ):
        canvas.setFont("Helvetica-Bold" if bold else "Helvetica", size)
        canvas.drawString(at, y + height * mm, text)


def _code(url: str) -> ImageReader:
    # A tenth of a sheet may be torn or painted over; M still reads with 15 % gone.
    image = io.BytesIO()
    segno.make_qr(url, error="m").save(image, kind="png", scale=6, border=3)
    image.seek(0)
    return ImageReader(image)
