"""Employers' duties, projects and meetings outside the domain: their storage and their pages."""
