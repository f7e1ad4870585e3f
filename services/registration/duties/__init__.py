"""Employers' duties, projects and meetings outside the domain: how they stand in the store, and their pages."""
