"""Meetings with workers: planned, held, and who came."""
