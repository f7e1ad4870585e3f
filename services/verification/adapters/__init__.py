"""Verification's connections to other systems."""
