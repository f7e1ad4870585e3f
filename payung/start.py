"""Where the `payung` command begins. Its own modules take a moment to load; Ctrl-C in that moment is one line too."""

from __future__ import annotations

import sys

# As a shell reports a command that Ctrl-C ended.
INTERRUPTED = 130


def main() -> None:
    """Loads and runs the command line."""
    try:
        from payung.cli import main as run
    except KeyboardInterrupt:
        sys.stderr.write("payung: stopped\n")
        sys.exit(INTERRUPTED)
    run()
