"""Import one plugin's light modules and collect what they offer, or say why that failed."""

from __future__ import annotations

import contextlib
import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeGuard, cast

from b2b_core.catalogue.guard import HardExitError, TimeLimitError, Watched
from b2b_core.deprecation import naming
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


class Point(Protocol):
    """An entry point, or what stands for one."""

    @property
    def name(self) -> str:
        """Its name, unique within the distribution."""
        ...

    @property
    def value(self) -> str:
        """What it loads, for people."""
        ...

    def load(self) -> object:
        """Import and return the object with the hook implementations."""
        ...


def load(
    distribution: str, points: Sequence[Point], manager: PluginManager, seconds: float
) -> tuple[list[AnySpec], Watched]:
    """Register the plugin's hooks with `manager`; return its specs, and what else it did.

    Args:
        distribution: its name.
        points: its entry points.
        manager: of the catalogue.
        seconds: that it may take; see `guard`.

    Raises:
        B2bError: one line that says what is wrong; nothing stays registered then.
    """
    registered: list[object] = []
    watched = Watched()
    try:
        specs: list[AnySpec] = []
        with watched.running(seconds):
            for point in points:
                plugin = point.load()
                if manager.is_registered(plugin):
                    owner = manager.get_name(plugin)
                    raise B2bError(f"its entry point '{point.value}' is that of {owner}")
                registered.append(plugin)
                _register(plugin, f"{distribution}:{point.name}", manager)
                specs += _offered(plugin, manager)
        _refuse_repetitions(specs)
    except (Exception, SystemExit, TimeLimitError, HardExitError) as error:
        for plugin in registered:
            with contextlib.suppress(Exception):
                manager.unregister(plugin)
        raise _failure(error) from error
    return specs, watched


def _register(plugin: object, name: str, manager: PluginManager) -> None:
    """Register the hooks, refusing names that no hook has and functions left unmarked."""
    with naming(name.partition(":")[0]):
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
    what = type(returned).__name__
    if isinstance(returned, str | bytes | Mapping) or not isinstance(returned, Iterable):
        raise B2bError(f"{hook} returned {what}, not specs")
    return [_one_checked(item, kind, hook) for item in cast("Iterable[object]", returned)]


def _one_checked(spec: object, kind: str, hook: str) -> AnySpec:
    what = type(spec).__name__
    if not _is_spec(spec) or spec.kind != kind:
        raise B2bError(f"{hook} returned {what}, not a spec of a {kind}")
    if not _NAME.fullmatch(str(spec.name)):
        raise B2bError(f"'{spec.name}' is no name for a {kind}", mend="use words-with-hyphens")
    return spec


def _is_spec(value: object) -> TypeGuard[AnySpec]:
    return isinstance(value, Spec)


def _refuse_repetitions(specs: Iterable[AnySpec]) -> None:
    seen: set[tuple[str, str]] = set()
    for spec in specs:
        if (spec.kind, spec.name) in seen:
            raise B2bError(f"it offers the {spec.kind} '{spec.name}' twice")
        seen.add((spec.kind, spec.name))


def _failure(error: BaseException) -> B2bError:
    match error:
        case B2bError():
            return error
        case SystemExit():
            return B2bError(f"it exits (SystemExit: {error.code}) instead of being imported")
        case HardExitError():
            return B2bError("it tries to end the process (os._exit) instead of being imported")
        case TimeLimitError():
            return B2bError(f"it was not imported after {error.args[0]:g} seconds and was given up")
        case _:
            return B2bError(f"{type(error).__name__}: {error}")
