"""What all intake forms share: how a form is read, judged in its common fields, refused and answered."""
