"""Uploaded lists over HTTP: the form, the progress, the answers."""
