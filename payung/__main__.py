"""`python -m payung`."""

from payung.start import main

main()
