"""House stickers: printed on sheets; anybody can check them with a phone, with or without a network."""
