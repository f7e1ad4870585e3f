"""`python -m services.reporting`."""

from services.reporting.stream import SPEC
from shared.runtime.app import main

if __name__ == "__main__":
    main(SPEC)
