"""The command line: one line per error, no traceback, nothing heavy before it is needed."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from b2b_core import __version__
from b2b_core.errors import B2bError

if TYPE_CHECKING:
    from click import ClickException, Command

#: Set to 1 to see the traceback of an error.
DEBUG = "B2B_DEBUG"

#: Command -> (where it is, its line in the help); imported only when called.
COMMANDS = {
    "adapt": ("b2b_core.cli.adapt:command", "Learn a camera from its blurry and sharp pictures."),
    "deblur": ("b2b_core.cli.deblur:command", "Deblur pictures with a camera profile."),
    "evaluate": ("b2b_core.cli.evaluate:command", "Measure a camera profile, with a report."),
    "bench": ("b2b_core.cli.bench:command", "Prove an adaptation on cameras, by recipe."),
    "demo": ("b2b_core.cli.demo:command", "Adapt, deblur and evaluate on pictures that ship."),
    "export": ("b2b_core.cli.export:command", "Write a profile or deblurrer as an ONNX file."),
    "train": ("b2b_core.cli.train:command", "Train a deblurrer or extractor of a known domain."),
    "synthesize": ("b2b_core.cli.synthesize:command", "Put a known domain's blur on pictures."),
    "rank-domains": ("b2b_core.cli.rank_domains:command", "Find the known domain for a camera."),
    "list": ("b2b_core.cli.list_kind:command", "List the components of a kind."),
    "show": ("b2b_core.cli.show:command", "Show a component, a plugin or published weights."),
    "weights": ("b2b_core.cli.weights:command", "List, fetch and verify published weights."),
    "list-plugins": ("b2b_core.cli.list_plugins:command", "List plugins, states and components."),
    "plugins": ("b2b_core.cli.plugins:command", "Switch plugins off and on."),
    "doctor": ("b2b_core.cli.doctor:command", "Look for what is wrong, and how to mend it."),
    "check-plugin": ("b2b_core.cli.check_plugin:command", "Check what plugins promise."),
    "new-plugin": ("b2b_core.cli.new_plugin:command", "Write a plugin to begin with."),
}


def main() -> None:
    """Run the command line and exit with its code: 0, 1 failed, 2 wrong use, 130 interrupted."""
    if sys.argv[1:] == ["--version"]:
        sys.stdout.write(f"b2b {__version__}\n")
        return
    # with Python's threshold of 700 a listing spends a tenth of its time looking for garbage
    gc.set_threshold(100_000)
    code = run(sys.argv[1:])
    # nor is there anything to gain from looking through all objects once more at the end
    gc.freeze()
    sys.exit(code)


def run(arguments: list[str]) -> int:
    """Run the command line with `arguments`; return the exit code."""
    try:
        code = _at_once(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # whoever read the output has enough; Python must not complain while it shuts down
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except B2bError as error:
        return _failed(str(error), error.exit_code)
    except KeyboardInterrupt:
        return _failed("interrupted", 130)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _failed(f"{error.strerror or error}{where}", 1)
    except Exception as error:
        return _failed(f"this is a bug, {type(error).__name__}: {error}; run with {DEBUG}=1", 1)
    return code


def _at_once(arguments: list[str]) -> int:
    """Run a command; the one that tools call most goes without click, a tenth of its time."""
    if arguments != ["list-plugins", "--json"]:
        return _by_click(arguments)
    from b2b_core.cli.listing import list_at_once

    list_at_once()
    return 0


def _by_click(arguments: list[str]) -> int:
    import click
    from click.exceptions import NoArgsIsHelpError

    from b2b_core.cli.root import root

    command: Command = root
    try:
        code = command.main(arguments, prog_name="b2b", standalone_mode=False)
    except NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return 0
    except click.ClickException as error:
        return _failed(_click_line(error), error.exit_code)
    except click.Abort:
        return _failed("interrupted", 130)
    return code if isinstance(code, int) else 0


def _click_line(error: ClickException) -> str:
    line = error.format_message().rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{line}; see {context.command_path} --help" if context else line


def _failed(line: str, code: int) -> int:
    if os.environ.get(DEBUG) == "1":
        import traceback

        traceback.print_exc()
    sys.stderr.write(f"b2b: {' '.join(line.split())}\n")
    return code
