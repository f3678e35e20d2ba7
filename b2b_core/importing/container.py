"""Read a file of weights without running anything in it.

Which container a file is, its first bytes say; endings are not believed. PyTorch's own formats are
pickles, which can run any program when they are read; torch's restricted reader
(`weights_only=True`) builds tensors and plain containers and refuses everything else.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Literal

from attrs import frozen

from b2b_core.errors import B2bError, UsageError

Format = Literal["safetensors", "torch", "torch-legacy"]

_ZIP, _PICKLE, _TAR = b"PK\x03\x04", b"\x80", b"ustar"
_LARGEST_HEADER = 100_000_000
#: How torch names what it was asked to look up or to call, and would not.
_REFUSED = re.compile(r"GLOBAL ([\w.]+)|(?:function|class|type|instantiated for) ([\w.]+)")
_REFUSALS = ("Unsupported", "Trying to", "Can only", "not an allowed", "Blocked", "Only tuple")


@frozen
class Container:
    """What was in a file."""

    format: Format
    #: Whatever was stored; for people who store weights, names to tensors, maybe wrapped.
    content: object


def format_of(path: Path) -> Format:
    """Return which container `path` is, by its first bytes.

    Raises:
        UsageError: if there is no such file, or it is none that can be read safely.
    """
    if not path.is_file():
        raise UsageError("there is no such file of weights", where=path, mend="check the path")
    with path.open("rb") as file:
        start = file.read(512)
    if not start:
        raise UsageError("the file is empty", where=path, mend="copy or download it again")
    if start[8:9] == b"{" and int.from_bytes(start[:8], "little") <= _LARGEST_HEADER:
        return "safetensors"
    if start.startswith(_ZIP):
        return "torch"
    if start[257:262] == _TAR:
        raise UsageError(
            "this is a tar archive, which is how PyTorch before 0.2 stored Python objects; it"
            " cannot be read without running what is in it and was not opened",
            where=path,
            mend="if it only packs a file of weights, unpack it; else ask for a .safetensors",
        )
    if start.startswith(_PICKLE):
        return "torch-legacy"
    raise UsageError(
        "this is no file of weights: neither safetensors nor a PyTorch file",
        where=path,
        mend="name a .safetensors, .pth, .pt, .pkl or .ckpt",
    )


def read_container(path: Path) -> Container:
    """Return what is stored in `path`, on the CPU; no code in it is run.

    Raises:
        UsageError: if it is no file of weights, or holds more than tensors and plain data.
        B2bError: if it is damaged.
    """
    kind = format_of(path)
    if kind == "safetensors":
        from b2b_core.tensorfile import read_tensors

        return Container(kind, read_tensors(path))
    return Container(kind, _read_torch(path))


def _read_torch(path: Path) -> object:
    import torch

    try:
        # an open file, because torch would look at the ending of a path
        with path.open("rb") as file, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch remarks on what it then refuses
            stored: object = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged pickle fails in every way there is
        raise _explained(error, path) from error
    return stored


def _explained(error: Exception, path: Path) -> B2bError:
    said = str(error)
    if "TorchScript" in said:
        return UsageError(
            "this is a TorchScript program, not weights alone; it was refused and not run",
            where=path,
            mend="ask its publisher for the state_dict, or for a .safetensors",
        )
    found = _REFUSED.search(said)
    cut_off = found is not None and found[0].endswith(".")  # in the middle of a name
    if any(word in said for word in _REFUSALS) and not cut_off:
        named = f" ('{found[1] or found[2]}')" if found else ""
        return UsageError(
            f"the file wants to run code{named}, or holds objects other than tensors; it was"
            " refused and nothing in it was run",
            where=path,
            mend="ask for a .safetensors or a plain state_dict; if you made it yourself, save"
            " torch.save(network.state_dict(), FILE)",
        )
    return B2bError(
        f"the file of weights is damaged or no PyTorch file: {_first_line(said, error)}",
        where=path,
        mend="copy or download it again",
    )


def _first_line(said: str, error: Exception) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    # what follows in torch's messages is advice on disks and networks
    return lines[0].partition(". This ")[0][:160] if lines else type(error).__name__
