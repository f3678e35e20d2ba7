"""Splits by scene: what is learned from and what is measured on never share a scene."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from b2b_core.data.seeding import numpy_rng

if TYPE_CHECKING:
    from b2b_core.data.pictures import PictureSet


def split_scenes(scenes: Collection[str], share: float, seed: int) -> tuple[set[str], set[str]]:
    """Split scenes at random into a part of about `share` and the rest.

    Neither part is empty where there are two scenes or more.
    """
    ordered = sorted(set(scenes))
    numpy_rng(seed, "scenes").shuffle(ordered)
    cut = round(len(ordered) * share)
    if len(ordered) > 1:
        cut = min(max(cut, 1), len(ordered) - 1)
    return set(ordered[:cut]), set(ordered[cut:])


def unpair(
    blurry: PictureSet, sharp: PictureSet, share: float, seed: int
) -> tuple[PictureSet, PictureSet, int]:
    """Make B and S disjoint in scenes, as the paper demands (6:4 by default).

    Scenes seen in both sets go to B with probability `share`, else to S; scenes of one set stay.

    Returns:
        B, S and the number of scenes that both sets had.
    """
    both = set(blurry.scenes) & set(sharp.scenes)
    if not both:
        return blurry, sharp, 0
    to_blurry, to_sharp = split_scenes(both, share, seed)
    return (
        blurry.of_scenes(set(blurry.scenes) - to_sharp),
        sharp.of_scenes(set(sharp.scenes) - to_blurry),
        len(both),
    )


def hold_out(pictures: PictureSet, share: float, seed: int) -> tuple[PictureSet, PictureSet]:
    """Split a set by scene into (kept for training, held out for validation).

    With a single scene the pictures themselves are split, the last ones being held out.
    """
    if len(pictures.scenes) > 1:
        held, kept = split_scenes(pictures.scenes, share, seed)
        return pictures.of_scenes(kept), pictures.of_scenes(held)
    cut = max(1, len(pictures) - max(1, round(len(pictures) * share)))
    kept_part, held_part = pictures[:cut], pictures[cut:]
    return kept_part, held_part if len(held_part) else kept_part


def scene_of(path: Path, root: Path) -> str:
    """Return a picture's scene: its folder below `root`, or its own name where there is none."""
    folder = path.parent.relative_to(root)
    return path.stem if folder == Path() else folder.as_posix()
