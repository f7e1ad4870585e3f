"""The systems that claims speaks to."""
