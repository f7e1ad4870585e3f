"""`python -m services.registration`."""

from services.registration.stream import SPEC
from shared.runtime.app import main

if __name__ == "__main__":
    main(SPEC)
