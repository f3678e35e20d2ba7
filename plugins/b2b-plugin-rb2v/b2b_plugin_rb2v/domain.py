"""The domain `rb2v`: which blurry frame belongs to which sharp one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from b2b_core.contracts import Pair
from b2b_core.data.matching import apart, contents, counted, matched, pictures_of, present
from b2b_core.errors import UsageError
from b2b_plugin_rb2v.config import Rb2vConfig
from b2b_plugin_rb2v.metadata import NAME, Entry, read_metadata

_SOURCE = "https://github.com/VinAIResearch/HyperCUT (AGPL-3.0)"
#: Part -> pairs of its splits.
_COUNTS = {
    "Street": {"train": 9000, "test": 2053},
    "Face": {"train": 8000, "test": 2157},
    "Hand": {"train": 12000, "test": 4722},
}


class Rb2vDomain:
    """Finds RB2V's pairs as HyperCUT publishes them.

    A part (`Street`) holds sequences, each with `blur/0000.png` and the sharp frames
    `sharp/0000_1.png` to `sharp/0000_7.png`, and `metadata.json`, which says what is training and
    what is test. Without that file the sequences have to lie in `train` and `test`. The root is the
    part's folder or one that holds it. A sequence is a scene.
    """

    def __init__(self, config: Rb2vConfig) -> None:
        self._config = config

    def default_root(self) -> Path | None:
        """Return None: the data set is the user's to fetch."""
        return None

    def pairs(self, root: Path, split: str) -> Sequence[Pair]:
        """Return the pairs of `split` ("train" or "test"), sequence by sequence.

        Raises:
            UsageError: if there is none, or a frame lacks its partner; the first is named.
        """
        part = self._find_part(root)
        if (part / NAME).is_file():
            found = self._listed(part, split)
        else:
            found = self._sorted_by_folder(part, split)
        if not found:
            raise UsageError(
                f"RB2V's frames of the split '{split}' are not there; found {contents(part)}",
                where=part,
                mend=f"get them from {_SOURCE}",
            )
        return counted(found, "rb2v", split, _COUNTS[self._config.part][split])

    def _find_part(self, root: Path) -> Path:
        name = self._config.part
        named = [f"RB2V_{name}", f"RB2V-{name}", name]
        folders = [root, *(above / one for above in (root, root / "RB2V") for one in named)]
        for folder in folders:
            if any((folder / one).exists() for one in (NAME, "train", "test")):
                return folder
        return next(filter(Path.is_dir, folders[1:]), root)

    def _listed(self, part: Path, split: str) -> list[Pair]:
        entries = read_metadata(part / NAME, self._config.frame)
        tested = "test" if any(entry.partition == "test" for entry in entries) else "val"
        wanted = tested if split == "test" else split
        found = present(_pair(part, entry) for entry in entries if entry.partition == wanted)
        if split == "test":
            return found
        scenes = {entry.scene for entry in entries if entry.partition == tested}
        return apart(found, scenes, part)

    def _sorted_by_folder(self, part: Path, split: str) -> list[Pair]:
        folder = part / split
        if not folder.is_dir():
            raise UsageError(
                f"RB2V's {NAME}, which says what is training and what is test, is missing, and so "
                f"is a folder '{split}'; found {contents(part)}",
                where=part,
                mend=f"give the folder that holds 'Street' as --domain-root; data: {_SOURCE}",
            )
        blurry, sharp = dict[str, Path](), dict[str, Path]()
        for sequence in sorted(path for path in folder.iterdir() if path.is_dir()):
            blurry |= {f"{split}/{sequence.name}/{p.stem}": p for p in _pictures(sequence / "blur")}
            for path in _pictures(sequence / "sharp"):
                if named := re.fullmatch(rf"(.+)_{self._config.frame}", path.stem):
                    sharp[f"{split}/{sequence.name}/{named[1]}"] = path
        return matched(blurry, sharp, lambda key: key.rpartition("/")[0])


def _pair(part: Path, entry: Entry) -> Pair:
    # HyperCUT's paths begin with the sequence; a file that begins them with the part works as well
    above = entry.blurry.parts[0] == part.name and not (part / part.name).is_dir()
    folder = part.parent if above else part
    return Pair(folder / entry.blurry, folder / entry.sharp, entry.scene)


def _pictures(folder: Path) -> list[Path]:
    return pictures_of(folder) if folder.is_dir() else []
