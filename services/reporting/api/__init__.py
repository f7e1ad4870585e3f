"""What reporting shows: the routes (`web`), the figures as they stand (`board`), the page, the files."""
