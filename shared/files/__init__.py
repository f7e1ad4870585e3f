"""Files that people open: CSV that no spreadsheet runs, workbooks that keep every digit."""
