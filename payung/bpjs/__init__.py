"""The files that a regency and BPJS exchange about the participants of an invoice."""
