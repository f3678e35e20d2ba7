"""What about the pictures may spoil a run, said in plain words before anything is trained.

What each warning means and what to do about it: docs/warnings.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from b2b_core.adaptation.one_camera import swapped, unlike
from b2b_core.data.pictures import PictureSet

#: Scenes of a role to learn from; with few, chance is taken for blur. On three simulated cameras
#: two sets of 12 scenes under the same blur were 5 to 13 % as far apart (in spectra) as blurry and
#: sharp sets, of 8 scenes 8 to 19 %, of 4 scenes 13 to 19 % and in single draws up to 44 %.
FEW = 12
#: Scenes of a role to measure on: of two that disagree, neither is the odd one.
HELD = 3


def suspicions(pictures: Mapping[str, PictureSet]) -> list[str]:
    """Return one sentence or two for each thing that looks wrong; empty if nothing does.

    Args:
        pictures: the sets by role: blurry, sharp, held_blurry, held_sharp.
    """
    blurry, sharp = pictures["blurry"], pictures["sharp"]
    found = [*too_few(pictures), *swapped(blurry, sharp)]
    evidence = unlike(blurry, sharp)
    if evidence:
        found.append(
            f"the blurry and sharp pictures may not be of one camera: {'; '.join(evidence)}. What "
            "tells them apart beside blur is learned as if it were blur; take both from one "
            "camera, saved the same way"
        )
    return found


def too_few(pictures: Mapping[str, PictureSet]) -> list[str]:
    """Return a sentence for each role with too few scenes to learn from or to measure on."""
    found: list[str] = []
    for role in ("blurry", "sharp"):
        scenes, held = (len(pictures[name].scenes) for name in (role, f"held_{role}"))
        if scenes < FEW:
            found.append(
                f"too few pictures: {_counted(scenes, role)} to learn from. With fewer than {FEW}, "
                "what is taken for blur is in part chance; add pictures of other scenes"
            )
        if held < HELD:
            share = min(0.5, ceil(100 * HELD / (scenes + held)) / 100)
            found.append(
                f"too few pictures to measure on: {_counted(held, role)} held out, so that one odd "
                f"scene decides. Add pictures, or hold more out: --set data.held_out={share:.2f}"
            )
    return found


def _counted(scenes: int, role: str) -> str:
    return f"{scenes} {role} scene{'' if scenes == 1 else 's'}"
