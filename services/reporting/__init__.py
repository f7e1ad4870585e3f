"""Reporting: what was registered, verified, billed, covered, claimed and spent, counted from the open events only."""
