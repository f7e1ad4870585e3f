"""The officers' queue of suspect pairs over HTTP."""
