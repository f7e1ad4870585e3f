"""Claims decides whether a benefit is due, how much, and sees it paid once."""
