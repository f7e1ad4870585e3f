"""Verification decides whether a registered worker is a living, single, eligible person."""
