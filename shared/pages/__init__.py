"""The common base of all pages that services show to people: one look, one way to load templates, one set of headers.

`templates/base.html` and `page.css` are the base that a service's own templates extend. Knows no service and no figure.
"""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request
from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

# Nothing from other sites, and no script at all.
HEADERS: Mapping[str, str] = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


def environment(package: str) -> Environment:
    """The templates of one of our packages, over the shared ones. A variable that a template uses but does not get is
    an error."""
    return Environment(
        loader=ChoiceLoader([PackageLoader(package, "templates"), PackageLoader("shared.pages", "templates")]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def wants_page(request: Request) -> bool:
    """Whether a browser asks; the same addresses answer a machine with JSON."""
    return "text/html" in request.headers.get("accept", "")
