"""Files that people open: CSV in which no spreadsheet runs a formula, workbooks that keep every digit."""
