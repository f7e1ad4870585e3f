"""Participants over HTTP: the file for BPJS as a stream, and what BPJS answered."""
