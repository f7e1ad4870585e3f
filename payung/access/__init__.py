"""Rights at the broker and in the database: the table of users, their log-in files, and the code that applies both."""
