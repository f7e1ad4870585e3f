"""Employers' rosters and projects: duties that are not kept become findings."""
