"""House stickers: printed on sheets, checked by whoever holds a phone over one, with or without a network."""
