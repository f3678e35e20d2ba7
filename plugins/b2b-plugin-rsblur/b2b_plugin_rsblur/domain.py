"""The domain `rsblur`: which blurry picture belongs to which sharp one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from b2b_core.contracts import Pair
from b2b_core.data.matching import apart, contents, counted, present
from b2b_core.errors import UsageError
from b2b_plugin_rsblur.config import RsblurConfig
from b2b_plugin_rsblur.lists import Line, find_list, read_list

_SOURCE = "https://github.com/rimchang/RSBlur (CC BY 4.0)"
#: Option `test` -> the list's name.
_TEST_LISTS = {
    "test": "test",
    "saturation": "test_saturation",
    "non-saturation": "test_non_saturation",
    "val": "val",
}
#: Pairs of the published lists.
_COUNTS = {
    "train": 8878,
    "additional_train": 8821,
    "test": 3360,
    "test_saturation": 1626,
    "test_non_saturation": 1734,
    "val": 1120,
}
#: Names that the synthetic picture has in the data set and in its lists.
_AVERAGES = ("avg65_img/avg_blur.png", "oracle_avg65_img/avg_blur.png")


class RsblurDomain:
    """Finds RSBlur's pairs by the lists of its authors.

    The data lie as `RSBlur/SCENE/SHOT/{real_blur/real_blur.png,gt/gt_sharp.png}` below the root, or
    the root is that folder `RSBlur`; the lists lie in the root, beside it, or in `datalist/RSBlur`
    of either. What a list names and is not there is left out, unless one half of a pair is there.
    Training pairs whose scene is in the test list are left out, too.
    """

    def __init__(self, config: RsblurConfig) -> None:
        self._config = config

    def default_root(self) -> Path | None:
        """Return None: the data set is the user's to fetch."""
        return None

    def pairs(self, root: Path, split: str) -> Sequence[Pair]:
        """Return the pairs of `split` ("train" or "test"), in the order of the lists.

        Raises:
            UsageError: if a list or all pictures are missing, or one half of a pair is.
        """
        names = self._names(split)
        found = present(self._listed(root, names))
        if not found:
            raise _missing(root, "pictures of its lists")
        if split == "train":
            tested = find_list(root, "test")
            found = apart(found, {line.scene for line in read_list(tested)} if tested else (), root)
        return counted(found, "rsblur", split, sum(_COUNTS[name] for name in names))

    def _names(self, split: str) -> list[str]:
        if split == "test":
            return [_TEST_LISTS[self._config.test]]
        return ["train", "additional_train"] if self._config.additional else ["train"]

    def _listed(self, root: Path, names: Iterable[str]) -> Iterator[Pair]:
        for name in names:
            file = find_list(root, name)
            if file is None:
                raise _missing(root, f"list RSBlur_real_{name}.txt")
            folders = _folders(root, additional=name == "additional_train")
            for line in read_list(file):
                yield self._pair(line, folders)

    def _pair(self, line: Line, folders: Sequence[Path]) -> Pair:
        folder = next((one for one in folders if (one / line.shot).is_dir()), folders[0])
        return Pair(self._blurry(line, folder), folder / line.sharp, line.scene)

    def _blurry(self, line: Line, folder: Path) -> Path:
        if self._config.blur == "real":
            return folder / line.blurry
        files = [folder / line.shot / name for name in _AVERAGES]
        return next(filter(Path.is_file, files), files[0])


def _folders(root: Path, *, additional: bool) -> list[Path]:
    """Return where the folders of scenes may lie."""
    own = [root / "RSBlur", root]
    if not additional:
        return own
    return [root / "RSBlur_additional", root.parent / "RSBlur_additional", *own]


def _missing(root: Path, what: str) -> UsageError:
    return UsageError(
        f"RSBlur's {what}: not found; here is {contents(root)}",
        where=root,
        mend="give the folder that holds 'RSBlur' and the lists (datalist/RSBlur of the authors' "
        f"repository) as --domain-root; both: {_SOURCE}",
    )
