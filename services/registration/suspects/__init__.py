"""The work around suspects: the scan in its own process, its schedule, and the officers' queue over HTTP."""
