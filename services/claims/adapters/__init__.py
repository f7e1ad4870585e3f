"""Claims' roads to other systems."""
