"""The domain `gopro`: which blurry picture belongs to which sharp one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path

from b2b_core.contracts import Pair
from b2b_core.errors import UsageError
from b2b_core.images.files import natural_key
from b2b_plugin_gopro.config import GoproConfig
from b2b_plugin_gopro.layouts import SPLITS, Folders, find_folders, pictures_of, scene_of

#: How many missing pictures or found folders an error shows.
_SHOWN = 6


class GoproDomain:
    """Finds GoPro's pairs in the layouts in which people have it.

    Below the root, or below its folder `train` or `test`, pairs lie as in the data set itself
    (`SEQUENCE/{blur,blur_gamma,sharp}/NAME`), as MIMO-UNet prepares it
    (`{blur,sharp}/SEQUENCE_NAME`), or as MPRNet and NAFNet distribute it
    (`{input,target}/SEQUENCE-NAME`). A pair has one file name. A root without `train` and `test`
    counts as the split that is asked for, unless its own name is that of the other split.
    """

    def __init__(self, config: GoproConfig) -> None:
        self._kinds = ("blur", "blur_gamma") if config.blur == "auto" else (config.blur,)

    def default_root(self) -> Path | None:
        """Return None: the data set is the user's to fetch."""
        return None

    def pairs(self, root: Path, split: str) -> Sequence[Pair]:
        """Return the pairs of `split` ("train" or "test"), sequence by sequence.

        Raises:
            UsageError: if there is none, or a picture lacks its partner; the first is named.
        """
        folder = _split_folder(root, split)
        found = find_folders(folder, self._kinds)
        if not found:
            kinds = " or ".join(self._kinds)
            raise UsageError(
                f"no GoPro pairs of the split '{split}': looked for SEQUENCE/{{{kinds},sharp}}, "
                f"{{{kinds},sharp}} and {{input,target}}; found {_contents(folder)}",
                where=folder,
                mend="give the folder that holds 'train' and 'test' as --domain-root",
            )
        pairs = list(chain.from_iterable(_matched(folders) for folders in found))
        if not pairs:
            raise UsageError("the GoPro folders are there but hold no pictures", where=folder)
        return pairs


def _split_folder(root: Path, split: str) -> Path:
    if (root / split).is_dir():
        return root / split
    other = next(name for name in SPLITS if name != split)
    if root.name == other or (root / other).is_dir():
        missing = root.parent if root.name == other else root
        raise UsageError(
            f"the split '{split}' is asked for, but only '{other}' is here",
            where=root,
            mend=f"put it at {missing / split}",
        )
    return root


def _matched(folders: Folders) -> Iterator[Pair]:
    blurry = {path.name: path for path in pictures_of(folders.blurry)}
    sharp = {path.name: path for path in pictures_of(folders.sharp)}
    alone = [
        (path, partner)
        for these, those, partner in (
            (blurry, sharp, folders.sharp),
            (sharp, blurry, folders.blurry),
        )
        for name, path in these.items()
        if name not in those
    ]
    if alone:
        path, partner = min(alone, key=lambda missing: natural_key(missing[0]))
        raise UsageError(
            f"{len(alone)} picture(s) without partner; the first is "
            f"{path.parent.name}/{path.name}, which is missing in {partner.name}/",
            where=path,
            mend="fetch the missing files again or remove the lonely ones",
        )
    for name, path in blurry.items():
        yield Pair(blurry=path, sharp=sharp[name], scene=folders.sequence or scene_of(path))


def _contents(folder: Path) -> str:
    names = sorted(f"{path.name}/" if path.is_dir() else path.name for path in folder.iterdir())
    shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
    return shown or "nothing"
