"""Words of a heading that give it another meaning: another person (`NIK (Kepala Keluarga)`), or another unit of an
amount (`Penghasilan (per hari)`).

A heading without such words may lose what stands in its brackets: `Nama (sesuai KTP)` is the name. With them it is
another column, and its values must not come into the worker's own fields.
"""

from __future__ import annotations

import re

_PERSON = (
    r"ahli waris|kepala keluarga|kk|keluarga|ibu(?: kandung)?|ayah(?: kandung)?|bapak|suami|istri|isteri|pasangan|anak"
    r"|orang ?tua|ortu|wali|penanggung jawab|pendamping|kontak(?: darurat)?|darurat|petugas|pendata|pendaftar"
    r"|pemberi kerja|perusahaan|majikan|heir|mother|father|spouse|head of (?:family|household)|guardian|employer"
)
# An earlier value of the same person.
_EARLIER = r"lama|sebelumnya|sebelum|salah|old|previous"
_UNIT = (
    r"(?:rp\.?|rupiah|dalam|dlm)? ?/? ?(?:dalam |dlm )?(?:per|se|x)? ?/? ?(?:rp\.? )?"
    r"(?:hari|harian|minggu|mingguan|pekan|tahun|tahunan|thn|th|panen|trip|ribu|ribuan|rb|juta|jutaan|jt|1?\.?000"
    r"|day|week|year|daily|weekly|yearly|thousands?|millions?)(?: (?:rp\.?|rupiah|idr))?"
)
_OTHER = re.compile(rf"(?:data |milik |nama |untuk )?(?:{_PERSON}|{_EARLIER})(?: ?[/,&] ?(?:{_PERSON}))*|{_UNIT}")
_PERSON_IN_GROUP = re.compile(rf"(?:^|\b)(?:{_PERSON}|{_EARLIER})(?:\b|$)")


def is_other_meaning(bracketed: str) -> bool:
    """Whether the text in a heading's brackets, in lower case, makes it another column."""
    return _OTHER.fullmatch(" ".join(bracketed.split())) is not None


def is_of_another(group: str) -> bool:
    """Whether the upper line of a heading on two lines, in lower case, names another person than the worker."""
    return _PERSON_IN_GROUP.search(" ".join(group.split())) is not None
