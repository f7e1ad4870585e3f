"""The work around suspects: the scan in a process of its own, its rhythm, and the officers' queue over HTTP."""
