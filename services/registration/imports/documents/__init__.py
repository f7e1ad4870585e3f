"""The stored parts of an uploaded list."""
