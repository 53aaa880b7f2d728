"""Templates, filled with every value escaped."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def fill(template: str, **values: object) -> str:
    """Return a template of this package with `values` in it; names typed by users cannot become markup."""
    environment = Environment(
        loader=PackageLoader("sam2flow_core.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
