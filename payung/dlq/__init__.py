"""`payung dlq`: finds records that services could not read, shows them without personal data, replays them."""
