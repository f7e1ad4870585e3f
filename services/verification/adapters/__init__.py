"""Verification's roads to other systems."""
