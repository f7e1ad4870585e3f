"""`python -m services.billing` runs the billing service."""

from services.billing.stream import SPEC
from shared.runtime.app import main

if __name__ == "__main__":
    main(SPEC)
