"""A click group whose commands are imported only when they are called."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import NoReturn

import click

from b2b_core.errors import B2bError, UsageError
from b2b_core.names import closest

#: Command name -> ("module:attribute", help line); help needs no import.
Commands = Mapping[str, tuple[str, str]]


class InterruptedWorkError(B2bError):
    """The user pressed Ctrl-C."""

    exit_code = 130


class LazyGroup(click.Group):
    """A group over `Commands`; shows its help where no command is given.

    `click.group(cls=LazyGroup, lazy=COMMANDS)` makes one.
    """

    def __init__(self, *args: object, lazy: Commands, **kwargs: object) -> None:
        super().__init__(*args, **{"invoke_without_command": True} | kwargs)  # type: ignore[arg-type]
        self.lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Return the names in the order of the mapping, which is that of the help."""
        return list(self.lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import the module of a command and return the command, or None if unknown."""
        if cmd_name not in self.lazy:
            return None
        module, _, attribute = self.lazy[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{module}:{attribute} is no click command")
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Refuse an unknown command with the closest name."""
        if args and args[0] not in self.lazy and not args[0].startswith("-"):
            self._refuse(ctx, args[0])
        return super().resolve_command(ctx, args)

    def _refuse(self, ctx: click.Context, name: str) -> NoReturn:
        best = closest(name, self.lazy)
        mend = f"did you mean '{best}'?" if best else f"see {ctx.command_path} --help"
        raise UsageError(f"there is no command '{name}'", mend=mend)

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        """Write the commands with their help lines, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.lazy.items()])

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; without one, show the help."""
        try:
            result: object = super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise InterruptedWorkError("interrupted") from error
        if ctx.invoked_subcommand is None:
            click.echo(ctx.get_help())
        return result
