"""`python -m services.verification`."""

from services.verification.stream import SPEC
from shared.runtime.app import main

if __name__ == "__main__":
    main(SPEC)
