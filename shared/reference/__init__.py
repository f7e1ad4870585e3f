"""Facts shipped with the product (areas, rates) and the pure code that reads them."""
