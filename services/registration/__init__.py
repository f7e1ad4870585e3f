"""Registration decides who is put forward as a participant: form, place, duplicates; and answers every submission."""
