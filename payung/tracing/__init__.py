"""`payung trace`: the causes and effects of the events with a given name."""
