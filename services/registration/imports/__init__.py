"""Lists that come over HTTP: taken whole and sealed, sent on to the agency's own intake topic, answered row by row."""
