"""`payung dlq`: what the services could not read: found, shown without personal data, sent once more, accounted for."""
