"""The domain `reds`: which blurry frame belongs to which sharp one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from b2b_core.contracts import Pair
from b2b_core.data.matching import contents, counted, matched
from b2b_core.errors import UsageError
from b2b_plugin_reds.config import TRACKS, RedsConfig
from b2b_plugin_reds.layouts import PART, find_folder, find_frames, find_subset

_SOURCE = "https://seungjunnah.github.io/Datasets/reds (CC BY 4.0)"
#: Pairs of the published splits, and of the part of the test split that an option names.
_COUNTS = {"train": 24000, "val": 3000, "val-300": 300}


class RedsDomain:
    """Finds REDS's pairs in the layouts in which people have it.

    The archives unpack to `train/train_sharp/CLIP/FRAME.png` and the like; the folders may also lie
    right below the root, or each in a folder of its own name. Validation clips may lie beside the
    training clips as 240 to 269 (BasicSR), and all clips of a kind in one folder as CLIP_FRAME
    (NAFNet). A pair has one clip and one frame number; the clip is its scene. The test split is
    REDS's validation set.
    """

    def __init__(self, config: RedsConfig) -> None:
        self._config = config

    def default_root(self) -> Path | None:
        """Return None: the data set is the user's to fetch."""
        return None

    def pairs(self, root: Path, split: str) -> Sequence[Pair]:
        """Return the pairs of `split` ("train" or "test"), clip by clip.

        Raises:
            UsageError: if there is none, or a frame lacks its partner; the first is named.
        """
        track = self._track(root)
        blurry, sharp = self._halves(root, split, track)
        if not (blurry and sharp):
            raise self._missing(
                root, PART[split], track if blurry else "", "sharp" if sharp else ""
            )
        pairs = matched(blurry, sharp, lambda key: key.rpartition("/")[0])
        wanted = self._config.test if split == "test" else split
        return counted(pairs, "reds", wanted, _COUNTS[wanted])

    def _track(self, root: Path) -> str:
        """Return the blurry frames to use; the same for both splits, so that none are mixed."""
        if self._config.track != "auto":
            return self._config.track
        there = (
            track
            for part in PART.values()
            for track in TRACKS
            if find_folder(root, part, f"{part}_{track}")
        )
        return next(there, TRACKS[0])

    def _halves(self, root: Path, split: str, track: str) -> list[dict[str, Path]]:
        """Return the blurry and the sharp frames by what they have in common."""
        halves = [find_frames(root, split, kind) for kind in (track, "sharp")]
        if split == "test" and self._config.test == "val-300":
            halves = [[frame for frame in half if frame.number.endswith("9")] for half in halves]
            # NAFNet's copy of the subset is of this track
            if track == "blur_jpeg" and not any(halves):
                halves = [find_subset(root, name) for name in ("blur_300", "sharp_300")]
        return [{frame.key: frame.path for frame in half} for half in halves]

    def _missing(self, root: Path, part: str, blurry: str, sharp: str) -> UsageError:
        """Return what is wrong where one kind of frames, or both, were not found."""
        tracks = TRACKS if self._config.track == "auto" else (self._config.track,)
        lacking = " or ".join(f"{part}_{kind}" for kind in (("sharp",) if blurry else tracks))
        if there := blurry or sharp:
            return UsageError(
                f"REDS's {lacking} is missing or empty; only {part}_{there} is here",
                where=root,
                mend=f"get it from {_SOURCE} and unpack it beside {part}_{there}",
            )
        return UsageError(
            f"no REDS pairs: looked for {part}/{part}_sharp and {part}/({lacking}); "
            f"found {contents(root)}",
            where=root,
            mend=f"give the folder that holds 'train' and 'val' as --domain-root; data: {_SOURCE}",
        )
