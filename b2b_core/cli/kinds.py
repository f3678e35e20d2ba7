"""Kinds of component as people type them."""

from __future__ import annotations

import click

from b2b_core.specs import HOOK_OF_KIND

#: Plural -> kind; the plurals are those of the hooks.
PLURALS = {hook.removeprefix("b2b_").replace("_", "-"): kind for kind, hook in HOOK_OF_KIND.items()}


def to_kind(_ctx: click.Context, _parameter: click.Parameter, value: str | None) -> str | None:
    """Return the kind that was said, also in the plural or with underscores; None for nothing.

    Raises:
        BadParameter: if there is none; with the closest.
    """
    if value is None:
        return None
    said = value.strip().lower().replace("_", "-")
    if said in HOOK_OF_KIND:
        return said
    if said in PLURALS:
        return PLURALS[said]
    from b2b_core.names import suggestion

    mend = suggestion(said, HOOK_OF_KIND)
    raise click.BadParameter(f"there is no kind '{value}'; {mend}")


kind_option = click.option(
    "--kind", metavar="KIND", callback=to_kind, help="Only this kind, such as translator."
)
