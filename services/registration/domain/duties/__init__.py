"""The duties of employers and contractors: judged from their rosters and projects, kept as findings."""
