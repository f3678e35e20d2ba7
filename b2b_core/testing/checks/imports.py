"""Level 0: what importing the light modules does, seen from outside, and what they offer."""

from __future__ import annotations

import inspect

from b2b_core import hookspecs
from b2b_core.names import suggestion
from b2b_core.testing.cases import PluginCase
from b2b_core.testing.check import Check, fail, plugin_check, skip


@plugin_check("see that nothing at module level exits, waits, or runs for long")
def import_ends(plugin: PluginCase) -> None:
    """Check that importing the plugin ends, and the process that did it, too."""
    if plugin.probe.interrupted:
        last = plugin.probe.output.splitlines()[-1:]
        said = f"; it last wrote: {last[0]}" if last else ""
        fail(f"{plugin.probe.interrupted}{said}", where=_points(plugin))


@plugin_check('write the module in [project.entry-points.b2b]: name = "package"')
def entry_points_resolve(plugin: PluginCase) -> None:
    """Check that what the entry points name can be imported."""
    _need_end(plugin)
    if not plugin.found.entry_points:
        fail("the group 'b2b' is empty", where="entry_points.txt")
    for point, (error, where) in plugin.probe.errors.items():
        fail(
            f"the entry point '{point}' cannot be imported: {error}",
            where=where,
            mend="mend the import; what the module needs belongs into [project] dependencies",
        )


@plugin_check("move the import into the body of the factory, or below `if TYPE_CHECKING:`")
def light_import(plugin: PluginCase) -> None:
    """Check that the light modules import none of the packages that a listing cannot afford."""
    _need_import(plugin)
    # in the order of the imports: torch, which imports numpy, is named
    for package, where in plugin.probe.heavy.items():
        fail(f"importing it, or calling its hooks, imports {package}", where=where)


@plugin_check("remove the output; what a user has to know belongs into an error or a log")
def silent_import(plugin: PluginCase) -> None:
    """Check that importing the plugin writes nothing."""
    _need_import(plugin)
    if plugin.probe.output:
        fail(f"importing it writes '{plugin.probe.output.splitlines()[0]}'", where=_points(plugin))


@plugin_check("ask the network where a component works, never where it is imported")
def offline_import(plugin: PluginCase) -> None:
    """Check that importing the plugin does not reach for the network."""
    _need_end(plugin)
    for event, where in plugin.probe.sockets:
        fail(f"importing it reaches for the network ({event})", where=where)


@plugin_check("write the hook with the arguments of b2b_core.hookspecs, and @b2b_core.hookimpl")
def hook_signatures(plugin: PluginCase) -> None:
    """Check that every hook is one that b2b has, is marked, and takes what b2b gives."""
    _need_import(plugin)
    known = hooks()
    for function in plugin.probe.hooks:
        name, where = function.name, function.where
        if name not in known:
            fail(f"there is no hook '{name}'", where=where, mend=suggestion(name, known))
        if not function.marked:
            fail(f"'{name}' is not marked with @b2b_core.hookimpl", where=where)
        if function.wrapper:
            fail(f"'{name}' is a wrapper, which b2b does not call", where=where)
        for argument in function.arguments:
            if argument not in known[name]:
                given = ", ".join(known[name]) or "nothing"
                fail(f"'{name}' takes '{argument}'; it is given {given}", where=where)


@plugin_check("return a list of specs, one per component; see b2b_core.specs")
def hooks_return_specs(plugin: PluginCase) -> None:
    """Check that the registration hooks return specs, and each name is offered once."""
    _need_import(plugin)
    row = plugin.plugin
    if row.state == "incompatible":
        skip("it is made for another core: see the check 'core-range'")
    if not row.works:
        fail(row.cause, where=_points(plugin), mend=row.mend or None)


def hooks() -> dict[str, tuple[str, ...]]:
    """Return the names of all hooks with their arguments."""
    return {
        name: tuple(inspect.signature(function).parameters)
        for name, function in vars(hookspecs).items()
        if name.startswith("b2b_") and hasattr(function, f"{hookspecs.PROJECT}_spec")
    }


def _points(plugin: PluginCase) -> str:
    return ", ".join(point.value for point in plugin.found.entry_points)


def _need_end(plugin: PluginCase) -> None:
    if plugin.probe.interrupted:
        skip("the import does not end: see the check 'import-ends'")


def _need_import(plugin: PluginCase) -> None:
    _need_end(plugin)
    if plugin.probe.errors:
        skip("it cannot be imported: see the check 'entry-points-resolve'")


CHECKS: tuple[Check[PluginCase], ...] = (
    import_ends,
    entry_points_resolve,
    light_import,
    silent_import,
    offline_import,
    hook_signatures,
    hooks_return_specs,
)
