"""`b2b weights import`: a published file of weights in, a network file out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from b2b_core.cli.options import catalogue_from, set_option
from b2b_core.errors import UsageError
from b2b_core.specs import HOOK_OF_KIND

if TYPE_CHECKING:
    from b2b_core.importing.opening import Opened

FILE = click.Path(path_type=Path)


@click.command()
@click.argument("file", type=FILE)
@click.option("--as", "name", metavar="NAME", help="Keep it under a name, such as nafnet.mine.")
@click.option("-o", "--out", type=FILE, help="Network file to write (default: FILE's name here).")
@click.option("--kind", type=click.Choice(list(HOOK_OF_KIND)), help="What to use the network as.")
@click.option("--component", metavar="NAME", help="Which of several that take the same weights.")
@click.option("--member", metavar="NAME", help="Which entry of the file, such as params_ema.")
@set_option
@click.option("--force", is_flag=True, help="Replace what is there.")
@click.pass_context
def command(
    ctx: click.Context, file: Path, name: str | None, out: Path | None, kind: str | None,
    component: str | None, member: str | None, overrides: tuple[str, ...], force: bool,
) -> None:  # fmt: skip
    """Open a published FILE of weights (.pth, .pt, .pkl, .ckpt, .safetensors).

    The network is recognised by the names and shapes of its tensors. Nothing in FILE is run. What
    shapes do not show can be said with --set, such as --set tlc_window=384 for a NAFNet.
    """
    from b2b_core.config import apply_overrides
    from b2b_core.importing.opening import open_published, write_network

    catalogue = catalogue_from(ctx)
    targets = _targets(file, name, out, force=force)
    opened = open_published(
        file, catalogue, kind=kind, component=component, member=member, name=name,
        options=apply_overrides({}, overrides),
    )  # fmt: skip
    for target in targets:
        write_network(opened, target, catalogue)
    for line in _report(opened, name, targets):
        click.echo(line)


def _targets(file: Path, name: str | None, out: Path | None, *, force: bool) -> list[Path]:
    """Return where to write, before anything is read; nothing is replaced unawares."""
    from b2b_core.weights.cache import IMPORTED, cache_folder

    targets = [out] if out is not None else []
    if name is not None:
        targets.append(cache_folder() / IMPORTED / f"{Path(name).name}.safetensors")
    targets = targets or [Path(f"{file.stem}.safetensors")]
    for target in targets:
        if target.exists() and file.exists() and target.samefile(file):
            raise UsageError("this would replace the file itself", where=file, mend="say -o OTHER")
        if target.exists() and not force:
            raise UsageError("the output exists", where=target, mend="use --force, or another name")
    return targets


def _report(opened: Opened, name: str | None, targets: list[Path]) -> list[str]:
    """Return what was found, a line each, and how to use it."""
    match, row = opened.match, opened.row
    distribution, component = match.full_name.split(":")
    others = [kind for kind in opened.kinds if kind != match.kind]
    also = f" (--kind {' or '.join(others)} makes another of it)" if others else ""
    entries = {
        "file": f"{opened.path.name} ({opened.format}, sha256 {opened.sha256})",
        "network": f"{component} of {distribution}, layout {match.layout.name}",
        "kind": f"{match.kind}{also}",
        "options": ", ".join(f"{key}={value}" for key, value in match.options.items()),
        "parameters": f"{opened.parameters:,} in {len(opened.tensors)} tensors",
        "published as": f"{row.name}: {row.summary}" if row else "unknown to the index",
        "licence": _licence(opened),
    }
    lines = [f"{key}: {value}" for key, value in entries.items()]
    lines += [f"remark: {remark}" for remark in opened.remarks]
    lines += [f"written: {target}" for target in targets]
    return [*lines, *_use(match.kind, name or str(targets[0]))]


def _licence(opened: Opened) -> str:
    from b2b_core.registry import load_registry
    from b2b_core.registry.licences import meaning

    if opened.row is None:
        component = opened.match.offer.spec.name
        known = {row.licence for row in load_registry().weights if row.component == component}
        hint = f" (published weights of {component}: {', '.join(sorted(known))})" if known else ""
        return opened.licence + hint
    if opened.row.free_for_commercial_use:
        return opened.licence
    return f"{opened.licence}; {meaning(opened.licence)}"


def _use(kind: str, what: str) -> list[str]:
    """Return a command that takes such weights, if there is one."""
    commands = {
        "deblurrer": f"b2b deblur {what} PICTURES -o OUT, or b2b adapt ... --deblurrer {what}",
        "kernel-extractor": f"b2b adapt ... --extractor {what}",
    }
    return [f"use it: {commands[kind]}"] if kind in commands else []
