"""What employers and contractors owe: judged from their rosters and projects, kept as findings."""
