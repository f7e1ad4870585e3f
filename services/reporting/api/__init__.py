"""What reporting shows: the routes (`web`), the present figures (`board`), the page, the files."""
