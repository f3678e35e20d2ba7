"""Import one plugin's light modules and collect what they offer, or say why that failed."""

from __future__ import annotations

import contextlib
import inspect
import re
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint
from typing import TYPE_CHECKING, Any

from b2b_core.catalogue.metadata import Found
from b2b_core.errors import B2bError
from b2b_core.names import suggestion
from b2b_core.specs import HOOK_OF_KIND, Spec

if TYPE_CHECKING:
    from pluggy import PluginManager

    AnySpec = Spec[Any, Any]

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def new_manager() -> PluginManager:
    """Return a manager that knows the hooks and no plugin."""
    import pluggy

    from b2b_core import hookspecs

    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    return manager


def load(found: Found, manager: PluginManager) -> list[AnySpec]:
    """Register the plugin's hooks with `manager` and return its specs.

    Raises:
        B2bError: one line that says what is wrong; nothing stays registered then.
    """
    registered: list[object] = []
    try:
        specs: list[AnySpec] = []
        for point in found.entry_points:
            plugin = _imported(point)
            if manager.is_registered(plugin):
                owner = manager.get_name(plugin)
                raise B2bError(f"its entry point '{point.value}' is that of {owner}")
            registered.append(plugin)
            _register(plugin, f"{found.name}:{point.name}", manager)
            specs += _offered(plugin, manager)
        _refuse_repetitions(specs)
    except (Exception, SystemExit) as error:
        for plugin in registered:
            with contextlib.suppress(Exception):
                manager.unregister(plugin)
        raise _failure(error) from error
    return specs


def _imported(point: EntryPoint) -> object:
    # what a plugin prints while it is imported must not end up in a command's output
    with contextlib.redirect_stdout(sys.stderr):
        return point.load()


def _register(plugin: object, name: str, manager: PluginManager) -> None:
    """Register the hooks, refusing names that no hook has and functions left unmarked."""
    manager.register(plugin, name=name)
    known = list(_hook_names(manager))
    callers = manager.get_hookcallers(plugin) or []
    for caller in callers:
        if not caller.has_spec():
            mend = suggestion(caller.name, known)
            raise B2bError(f"there is no hook '{caller.name}'", mend=mend)
        if any(i.plugin is plugin and (i.wrapper or i.hookwrapper) for i in caller.get_hookimpls()):
            raise B2bError(f"its hook '{caller.name}' is a wrapper, which b2b does not call")
    marked = {caller.name for caller in callers}
    for attribute, value in inspect.getmembers(plugin, inspect.isfunction):
        mine = value.__module__ == getattr(plugin, "__name__", None)
        if mine and attribute.startswith("b2b_") and attribute not in marked:
            raise B2bError(f"'{attribute}' is not marked with @b2b_core.hookimpl")


def _hook_names(manager: PluginManager) -> Iterable[str]:
    return (name for name, hook in vars(manager.hook).items() if hook.has_spec())


def _offered(plugin: object, manager: PluginManager) -> list[AnySpec]:
    """Call each registration hook of this plugin alone and check what it returns."""
    specs: list[AnySpec] = []
    for kind, hook in HOOK_OF_KIND.items():
        for impl in getattr(manager.hook, hook).get_hookimpls():
            if impl.plugin is plugin:
                specs += _checked(impl.function(), kind, hook)
    return specs


def _checked(returned: object, kind: str, hook: str) -> list[AnySpec]:
    if not isinstance(returned, Iterable) or isinstance(returned, str | bytes | Mapping):
        raise B2bError(f"{hook} returned {type(returned).__name__}, not specs")
    specs = list(returned)
    for spec in specs:
        if not isinstance(spec, Spec) or spec.kind != kind:
            raise B2bError(f"{hook} returned {type(spec).__name__}, not a spec of a {kind}")
        if not isinstance(spec.name, str) or not _NAME.fullmatch(spec.name):
            raise B2bError(f"'{spec.name}' is no name for a {kind}", mend="use words-with-hyphens")
    return specs


def _refuse_repetitions(specs: Iterable[AnySpec]) -> None:
    seen: set[tuple[str, str]] = set()
    for spec in specs:
        if (spec.kind, spec.name) in seen:
            raise B2bError(f"it offers the {spec.kind} '{spec.name}' twice")
        seen.add((spec.kind, spec.name))


def _failure(error: BaseException) -> B2bError:
    if isinstance(error, B2bError):
        return error
    if isinstance(error, SystemExit):
        return B2bError(f"it exits (SystemExit: {error.code}) instead of being imported")
    return B2bError(f"{type(error).__name__}: {error}")
