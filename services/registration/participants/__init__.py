"""The participants of an invoice: who is on it, their file for BPJS, and what BPJS answered about each."""
