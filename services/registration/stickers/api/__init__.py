"""Stickers over HTTP: printed sheets and the check of a scanned sticker."""
