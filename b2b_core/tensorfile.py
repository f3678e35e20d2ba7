"""A safetensors file with a JSON description: what network files and camera profiles are made of.

Layout: https://huggingface.co/docs/safetensors (8 bytes of header length, JSON header, tensors).
The description is the entry `b2b` of the header's `__metadata__`. Reading it needs no torch.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from b2b_core.atomic import replacing
from b2b_core.errors import B2bError, UsageError
from b2b_core.narrowing import is_table

if TYPE_CHECKING:
    from torch import Tensor

#: Version of the descriptions; a reader refuses any other.
FORMAT = "1"
_LARGEST_HEADER = 100_000_000


def write_tensors(
    path: Path, tensors: Mapping[str, Tensor], *, holds: str, description: Mapping[str, Any]
) -> None:
    """Write `tensors` and a `description` of plain data, whole or not at all.

    Args:
        path: file to write; its folder is made if missing.
        tensors: named tensors on any device; shared memory is written once per name.
        holds: what the file is, such as "network".
        description: what JSON can hold.

    Raises:
        B2bError: if the file cannot be written.
    """
    # safetensors says PathLike without saying of what
    from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]

    text = json.dumps({"format": FORMAT, "holds": holds, **description}, ensure_ascii=False)
    own = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            save_file(own, temporary, metadata={"b2b": text})
    except OSError as error:
        raise B2bError(
            f"cannot write the {holds}: {error.strerror or error}",
            where=path,
            mend="check the folder's permissions and the free space",
        ) from error


def read_description(path: Path, *, holds: str) -> dict[str, Any]:
    """Return the description of a file that `write_tensors` wrote.

    Raises:
        UsageError: if there is no such file, or it is something else than `holds`.
        B2bError: if it is truncated, or of another format version.
    """
    if not path.is_file():
        raise UsageError(f"there is no such {holds}", where=path, mend="check the path")
    entry = _header(path, holds).get("__metadata__", {}).get("b2b")
    try:
        description = json.loads(entry) if entry else None
    except ValueError:
        description = None
    if not is_table(description):
        raise UsageError(
            f"this safetensors file is no {holds} of b2b",
            where=path,
            mend="it has no description 'b2b' in its header; name a file that b2b wrote",
        )
    if description.get("holds") != holds:
        raise UsageError(
            f"this is a {description.get('holds')}, but a {holds} is needed", where=path
        )
    if description.get("format") != FORMAT:
        raise B2bError(
            f"the {holds} has format {description.get('format')}, this b2b reads {FORMAT}",
            where=path,
            mend="update b2b: pip install -U b2b-core",
        )
    return dict(description)


def holds(path: Path) -> str | None:
    """Return what a file that `write_tensors` wrote holds; None for any other file.

    Raises:
        B2bError: if it is a safetensors file that is damaged.
    """
    try:
        entry = _header(path, "file").get("__metadata__", {}).get("b2b")
        said = json.loads(entry).get("holds") if entry else None
    except (UsageError, ValueError, AttributeError):
        return None
    return said if isinstance(said, str) else None


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file whose description was read before, on the CPU."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file  # pyright: ignore[reportUnknownVariableType] as above

    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise _damaged(path, "file", str(error)) from error


def _header(path: Path, holds: str) -> dict[str, Any]:
    with path.open("rb") as file:
        start = file.read(9)
        length = int.from_bytes(start[:8], "little")
        if len(start) < 9 or start[8:] != b"{" or length > _LARGEST_HEADER:
            raise UsageError(
                f"this is no {holds}: not a safetensors file",
                where=path,
                mend="name a .safetensors file that b2b wrote",
            )
        text = start[8:] + file.read(length - 1)
    try:
        header: dict[str, Any] = json.loads(text)
        ends = [entry["data_offsets"][1] for name, entry in header.items() if name[0] != "_"]
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise _damaged(path, holds, "its header is cut off") from error
    missing = 8 + length + max(ends, default=0) - path.stat().st_size
    if missing > 0:
        raise _damaged(path, holds, f"its last {missing} bytes are missing")
    return header


def _damaged(path: Path, holds: str, cause: str) -> B2bError:
    return B2bError(
        f"the {holds} is damaged: {cause}",
        where=path,
        mend="copy or download it again",
    )
