"""Verification decides whether a registered worker is a living, unique, eligible person."""
