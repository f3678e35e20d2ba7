"""RSBlur's lists: lines of two paths, the sharp picture and the blurry one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from attrs import frozen

from b2b_core.errors import UsageError

#: The published splits share folders. What they do not share are runs of twenty shots, numbered
#: from 2 on within a folder; this is read off the lists, their authors do not describe it.
_SHOTS_OF_A_SCENE, _FIRST_SHOT = 20, 2
#: Below a folder of lists or of data, where a clone of the authors' repository has the lists.
_PLACES = ("", "datalist/RSBlur", "datalist", "RSBlur")


@frozen
class Line:
    """A pair as a list names it; paths are below the folder of the data set."""

    sharp: PurePosixPath
    blurry: PurePosixPath

    @property
    def shot(self) -> PurePosixPath:
        """The folder of all pictures of this pair: `0019/000722`."""
        return PurePosixPath(*self.sharp.parts[:2])

    @property
    def scene(self) -> str:
        """The run of shots that this one belongs to, named after its first shot."""
        folder, shot = self.shot.parts
        if not shot.isdecimal():
            return folder
        run = max(int(shot) - _FIRST_SHOT, 0) // _SHOTS_OF_A_SCENE
        return f"{folder}/{run * _SHOTS_OF_A_SCENE + _FIRST_SHOT:06d}"


def find_list(root: Path, name: str) -> Path | None:
    """Return the list `RSBlur_real_NAME.txt` or `NAME.txt` in or beside `root`."""
    for folder in (root / place for root in (root, root.parent) for place in _PLACES):
        for file in (folder / f"RSBlur_real_{name}.txt", folder / f"{name}.txt"):
            if file.is_file():
                return file
    return None


def read_list(path: Path) -> Iterator[Line]:
    """Read a list; its paths begin with the name of the data set, which is left out.

    Raises:
        UsageError: if a line is not two paths such as `RSBlur/0019/000722/gt/gt_sharp.png`.
    """
    for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        paths = [PurePosixPath(word) for word in line.split()]
        if len(paths) != 2 or not all(map(_is_plain, paths)):
            raise UsageError(
                f"line {number} is not two paths, sharp and blurry, such as "
                "RSBlur/0019/000722/gt/gt_sharp.png",
                where=path,
                mend="fetch the list again from https://github.com/rimchang/RSBlur",
            )
        sharp, blurry = (PurePosixPath(*path.parts[1:]) for path in paths)
        yield Line(sharp, blurry)


def _is_plain(path: PurePosixPath) -> bool:
    """Tell whether a path goes down from a folder to a picture of a shot, and nowhere else."""
    return len(path.parts) >= 4 and not path.is_absolute() and ".." not in path.parts
