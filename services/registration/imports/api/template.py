"""The workbook that a village fills in: drop-downs, a NIK column that stays text, an example above the header.

The reader of lists accepts it as it is: text above the header is no row, and it knows the words of the drop-downs.
"""

from __future__ import annotations

from dataclasses import replace

from shared.files.form import FormColumn, form
from shared.lists.values import SECTORS_ID
from shared.reference.areas import Areas

KINDS = ("workers",)
_NIK = ("AND(LEN({cell})=16,ISNUMBER(--{cell}))", "NIK harus 16 angka, sesuai KTP.")
COLUMNS = (
    FormColumn("id_pengajuan", "Nomor Anda sendiri untuk baris ini. Boleh kosong.", "DES-001", 15),
    FormColumn("nik", "16 angka sesuai KTP.", "6408044107850002", 20, required=True, rule=_NIK),
    FormColumn("nama", "Nama lengkap sesuai KTP.", "SITI AMINAH", 26, required=True),
    FormColumn("tempat_lahir", "Sesuai KTP.", "Sangatta", 16),
    FormColumn("tanggal_lahir", "Hari/bulan/tahun, misalnya 01/07/1985.", "01/07/1985", 15, required=True),
    FormColumn("jenis_kelamin", "Pilih L (laki-laki) atau P (perempuan).", "P", 14, "sex", required=True),
    FormColumn("desa", "Pilih desa atau kelurahan tempat tinggal.", "", 38, "village", required=True),
    FormColumn("alamat", "Jalan dan RT, misalnya Jl. Pelita RT 003.", "Jl. Pelita RT 003", 28),
    FormColumn("sektor", "Pilih sektor pekerjaan.", "perikanan", 14, "sector", required=True),
    FormColumn("pekerjaan", "Pekerjaan sehari-hari.", "nelayan", 18, required=True),
    FormColumn("penghasilan", "Rupiah per bulan. Kosong berarti 1.000.000.", "1000000", 14),
    FormColumn("telepon", "Nomor HP, misalnya 081234567890.", "081234567890", 17),
    FormColumn("nama_ibu", "Nama ibu kandung.", "HALIMAH", 20),
    FormColumn("ahli_waris", "Nama penerima santunan.", "RAHMAT", 20),
    FormColumn("hubungan_ahli_waris", "Pilih hubungannya.", "suami", 18, "relation"),
    FormColumn("setuju", "Pekerja setuju datanya dipakai? Pilih Ya atau Tidak.", "Ya", 10, "consent", required=True),
    FormColumn("persetujuan", "Tanggal pekerja menandatangani persetujuan.", "04/01/2026", 15, required=True),
)
_TITLE = "Daftar pekerja rentan {regency}. Isi mulai baris 5, satu baris untuk satu pekerja. Baris 3 hanya contoh."
_TITLE_EN = "List of vulnerable workers. Enter one worker a row, from row 5 on; row 3 is only an example."


_GUIDE = (
    "Cara mengisi",
    "1. Isi lembar Pekerja mulai baris 5. Kolom berwarna hijau wajib diisi.",
    "2. Jangan mengubah nama kolom di baris 4. Baris contoh (baris 3) tidak ikut terkirim.",
    "3. Bila menempel data dari berkas lain, pilih Tempel Nilai (Paste Values) agar NIK tetap teks.",
    "4. Simpan, lalu kirim di halaman Kirim daftar pekerja.",
    "5. Unduh berkas jawaban, perbaiki baris yang ditolak, lalu kirim berkas jawaban itu lagi.",
    "",
    _TITLE_EN,
)


def workbook(areas: Areas, regency: str) -> bytes:
    """The template of workers of one regency, as the bytes of an XLSX file."""
    villages = [
        f"{village.code} {village.name}"
        for district in areas.districts(regency)
        for village in areas.villages(district)
    ]
    picks = {
        "sex": ["L", "P"],
        "village": villages,
        "sector": list(SECTORS_ID),
        "relation": ["suami", "istri", "anak", "orang tua", "saudara"],
        "consent": ["Ya", "Tidak"],
    }
    columns = [replace(one, example=villages[0]) if one.picks == "village" else one for one in COLUMNS]
    return form("Pekerja", _TITLE.format(regency=areas.name(regency) or regency), columns, picks, ("Petunjuk", _GUIDE))
