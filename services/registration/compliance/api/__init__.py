"""Findings and projects over HTTP."""
