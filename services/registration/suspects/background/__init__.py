"""The scan for suspect pairs: its schedule, and its own process."""
