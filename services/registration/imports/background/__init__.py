"""Sends uploaded lists on, and deletes old ones."""
