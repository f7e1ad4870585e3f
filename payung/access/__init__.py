"""Who may do what at the broker and in the database: the table, the files of the log-ins, and what applies them."""
