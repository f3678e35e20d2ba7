"""The domain `starter`: pairs in `ROOT/{blurry,sharp}/SCENE/NAME.*`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from b2b_core.contracts import Pair
from b2b_core.data.scenes import scene_of
from b2b_core.errors import UsageError
from b2b_core.images.files import find_pictures
from b2b_plugin_starter.config import StarterConfig
from b2b_plugin_starter.places import KNOWN


class StarterDomain:
    """Finds the pairs that ship with the plugin, or a larger set of the same layout."""

    def __init__(self, config: StarterConfig) -> None:
        self._test_every = config.test_every

    def default_root(self) -> Path | None:
        """Return the pictures that ship with the plugin."""
        return KNOWN

    def pairs(self, root: Path, split: str) -> Sequence[Pair]:
        """Return the pairs of `split`, in order of name.

        Raises:
            UsageError: if a folder is missing or a blurry picture has no sharp partner.
        """
        for folder in (root / "blurry", root / "sharp"):
            if not folder.is_dir():
                raise UsageError(
                    f"domain 'starter' needs the folder '{folder.name}'",
                    where=root,
                    mend="lay the pairs out as ROOT/{blurry,sharp}/SCENE/NAME",
                )
        pairs = [
            Pair(path, _partner(path, root), scene_of(path, root / "blurry"))
            for path in find_pictures(root / "blurry")
        ]
        scenes = sorted({pair.scene for pair in pairs})
        test = set(scenes[:: self._test_every])
        return [pair for pair in pairs if (pair.scene in test) == (split == "test")]


def _partner(blurry: Path, root: Path) -> Path:
    wanted = root / "sharp" / blurry.relative_to(root / "blurry")
    found = sorted(wanted.parent.glob(f"{wanted.stem}.*"))
    if not found:
        raise UsageError(
            "a blurry picture has no sharp partner",
            where=blurry,
            mend=f"expected {wanted} with any picture suffix",
        )
    return found[0]
