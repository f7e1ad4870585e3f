"""Lists over HTTP: stored whole and sealed, sent on to the agency's own intake topic, answered row by row."""
