"""Claims' connections to other systems, and its other due work."""
