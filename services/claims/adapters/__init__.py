"""Claims' connections to other systems."""
