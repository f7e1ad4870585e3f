"""`payung trace`: the causes and effects of what bears a name."""
