"""`python -m services.claims` runs the claims service."""

from services.claims.stream import SPEC
from shared.runtime.app import main

if __name__ == "__main__":
    main(SPEC)
