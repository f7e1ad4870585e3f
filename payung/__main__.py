"""`python -m payung`."""

from payung.cli import main

main()
