"""Run by `probe` in a process of its own: import a plugin's light modules, and tell what happened.

It is run as a file with `python -I`, and reads `sys.path` and its task from a file of JSON, so that
it imports what the checking process would. What it has seen so far is written after each step:
a plugin that ends the process leaves a report that ends too.
"""

from __future__ import annotations

import importlib
import importlib.abc
import inspect
import json
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

#: Events of `sys.audit` that mean the network.
SOCKETS = ("socket.__new__", "socket.connect", "socket.getaddrinfo", "socket.bind")


def culprit(frame: FrameType | None) -> str:
    """Return "file:line" of the nearest code that is neither Python's own nor this file's."""
    own = (__file__, "<frozen", str(Path(json.__file__).parents[1]) + "/")
    while frame is not None:
        name = frame.f_code.co_filename
        if "site-packages" in name or not name.startswith(own):
            return f"{name}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


class HeavyImports(importlib.abc.MetaPathFinder):
    """Finds nothing; notes who first asks for a heavy package."""

    def __init__(self, heavy: Sequence[str], note: Callable[[str, str], None]) -> None:
        self._heavy, self._note = set(heavy), note

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - importlib's signature
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """Return None: the next finder is asked."""
        if fullname in self._heavy and fullname not in sys.modules:
            self._heavy.discard(fullname)
            self._note(fullname, culprit(inspect.currentframe()))
        return None


class Report:
    """Everything seen so far, on disk."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.data: dict[str, Any] = {"heavy": {}, "sockets": [], "errors": {}, "hooks": []}

    def write(self, **entries: object) -> None:
        """Add entries and write the whole report."""
        self.data |= entries
        self._path.write_text(json.dumps(self.data), encoding="utf-8")


def watch_sockets(report: Report) -> None:
    """Note and refuse everything that has to do with the network."""

    def hook(event: str, _arguments: tuple[object, ...]) -> None:
        if event in SOCKETS:
            report.data["sockets"].append([event, culprit(inspect.currentframe())])
            raise OSError(f"{event} is refused while a plugin is imported")

    sys.addaudithook(hook)


def loaded(value: str) -> object:
    """Return what the entry point `module:attribute` names."""
    module, _, attribute = value.partition(":")
    found: object = importlib.import_module(module.strip())
    for part in filter(None, attribute.strip().split(".")):
        found = getattr(found, part)
    return found


def hooks_of(plugin: object, manager: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - pluggy is imported later
    """Return the marked functions, and the unmarked ones that are named like hooks."""
    found: list[dict[str, Any]] = []
    for name in dir(plugin):
        value = getattr(plugin, name)
        options = manager.parse_hookimpl_opts(plugin, name)
        if options is None and not (name.startswith("b2b_") and inspect.isroutine(value)):
            continue
        wanted = [
            argument.name
            for argument in inspect.signature(value).parameters.values()
            if argument.default is argument.empty and argument.kind is not argument.VAR_KEYWORD
        ]
        found.append(
            {
                "name": (options and options["specname"]) or name,
                "marked": options is not None,
                "wrapper": bool(options and (options["wrapper"] or options["hookwrapper"])),
                "arguments": wanted,
                "where": _place(value),
            }
        )
    return found


def _place(function: Any) -> str:  # noqa: ANN401 - anything callable
    code = getattr(inspect.unwrap(function), "__code__", None)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else ""


def main(task_file: str) -> None:
    """Import the entry points one by one, call their registration hooks, report."""
    task = json.loads(Path(task_file).read_text(encoding="utf-8"))
    sys.path[:] = task["path"]
    # what every process with a catalogue has loaded is no fault of the plugin
    import pluggy

    import b2b_core.hookspecs
    import b2b_core.specs

    report = Report(Path(task["report"]))
    manager = pluggy.PluginManager(b2b_core.hookspecs.PROJECT)
    sys.meta_path.insert(
        0, HeavyImports(task["heavy"], lambda name, by: report.data["heavy"].setdefault(name, by))
    )
    watch_sockets(report)
    for point in task["points"]:
        report.write(importing=point)
        try:
            plugin = loaded(point)
        except Exception as error:
            text = f"{type(error).__name__}: {error}"
            report.data["errors"][point] = [text, _place_of(error)]
            continue
        report.data["hooks"] += hooks_of(plugin, manager)
        call_registration_hooks(plugin, b2b_core.specs.HOOK_OF_KIND.values())
    report.write(ended=True)


def call_registration_hooks(plugin: object, names: Any) -> None:  # noqa: ANN401 - any collection
    """Call the hooks that offer components: they are part of every listing."""
    for name in names:
        hook = getattr(plugin, name, None)
        try:
            list(hook() if hook is not None else ())
        except Exception:
            continue  # the catalogue says what is wrong with it


def _place_of(error: BaseException) -> str:
    """Return "file:line" of the plugin's code that raised, or that cannot be read."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}"
    return culprit(_last_frame(error))


def _last_frame(error: BaseException) -> FrameType | None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace.tb_frame if trace else None


if __name__ == "__main__":
    main(sys.argv[1])
