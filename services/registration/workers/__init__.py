"""The workers: their forms and sources, verdicts, life cycle and merging."""
