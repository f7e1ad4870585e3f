"""Claims assesses what workers and their families are owed, by their cover and the law of the day, and pays it once."""
