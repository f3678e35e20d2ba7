"""Evidence that blurry and sharp pictures are not of one camera.

Whatever tells the two sets apart is learned as the camera's blur, so it has to be blur alone. The
scenes of the two sets differ as well: what is measured in pictures counts only where it differs by
far more than it does from scene to scene within a set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import log

import torch
from torch import Tensor

from b2b_core.data.pictures import PictureSet
from b2b_core.images.maker import camera_of
from b2b_core.images.read import picture_size
from b2b_core.metrics import blur_effect
from b2b_core.synthesis.noise import noise_level

#: Scenes that are measured, one picture of each, and the side of its middle in pixels.
SCENES, SIDE = 24, 512
#: Fewer scenes than this do not tell how much scenes differ.
LEAST = 4
#: Files whose headers are read.
FILES = 200
#: A difference counts beyond this many standard deviations between scenes, and standard errors.
BEYOND = 2.0
#: Least ratio of noise that counts: of B's to S's, and of S's to B's, as blur takes texture from
#: the flattest parts of B too. Cameras whose sets do belong together came to 0.66 to 0.8.
NOISIER_BLURRY, NOISIER_SHARP = 2.0, 3.0
#: Least difference of mean colours that counts, in 8-bit steps.
COLOUR = 8.0
#: Colourfulness in 8-bit steps below which a picture is grey.
GREY = 1.0
_FLOOR = 1e-3
_LOSSLESS = (".png", ".tif", ".tiff", ".bmp")
_NAMES = ("redder", "bluer", "more colourful")

#: Longer and shorter side in pixels.
Size = tuple[int, int]


def unlike(blurry: PictureSet, sharp: PictureSet) -> list[str]:
    """Return what speaks against one camera, one clause each; empty if nothing does.

    Args:
        blurry: B, from files that still exist.
        sharp: S, likewise.
    """
    found = [*of_files(blurry, sharp)]
    ours, theirs = middles(blurry), middles(sharp)
    if min(len(ours), len(theirs)) >= LEAST:
        found += [*of_noise(ours, theirs), *of_colours(ours, theirs)]
    return found


def of_files(blurry: PictureSet, sharp: PictureSet) -> list[str]:
    """Return what the files say: camera, compression and size; nothing is decoded."""
    return [
        *of_makers(*(_cameras(pictures) for pictures in (blurry, sharp))),
        *of_compression(blurry, sharp),
        *of_sizes(*(_sizes(pictures) for pictures in (blurry, sharp))),
    ]


def of_makers(blurry: Counter[str], sharp: Counter[str]) -> list[str]:
    """Return a clause if less than half of the pictures that name their camera share it."""
    if not blurry or not sharp:
        return []
    shared = sum(
        min(count / blurry.total(), sharp[name] / sharp.total()) for name, count in blurry.items()
    )
    if shared >= 0.5:
        return []
    ours, theirs = (", ".join(sorted(names)[:3]) for names in (blurry, sharp))
    return [f"EXIF names {ours} for the blurry pictures, {theirs} for the sharp ones"]


def of_compression(blurry: PictureSet, sharp: PictureSet) -> list[str]:
    """Return a clause if one set is JPEG throughout and the other lossless."""
    for one, other in ((blurry, sharp), (sharp, blurry)):
        lossless = all(picture.path.suffix.lower() in _LOSSLESS for picture in other)
        if len(one.codings) == len(one) and lossless and not other.codings:
            return [f"the {one.role} pictures are JPEG files, the {other.role} ones lossless"]
    return []


def of_sizes(blurry: Counter[Size], sharp: Counter[Size]) -> list[str]:
    """Return a clause if most pictures of a set have one size and no crop or turn explains both.

    Args:
        blurry: how many blurry pictures have which longer and shorter side, in pixels.
        sharp: likewise.
    """
    ours, theirs = _usual(blurry), _usual(sharp)
    if ours is None or theirs is None or ours in sharp or theirs in blurry:
        return []
    (long, short), (other_long, other_short) = ours, theirs
    said = f"the blurry pictures are {long}x{short} pixels, the sharp {other_long}x{other_short}"
    # squares of several sizes are crops more often than pictures of another scale
    if long != short and abs(long * other_short / (short * other_long) - 1) < 0.01:
        return [f"{said}, the same shape at another scale"]
    inside = (long - other_long) * (short - other_short) >= 0
    return [] if inside else [f"{said}, and neither can be a part of the other"]


def of_noise(blurry: Sequence[Tensor], sharp: Sequence[Tensor]) -> list[str]:
    """Return a clause if flat parts of one set are far noisier than those of the other."""
    ours, theirs = _noise(blurry), _noise(sharp)
    difference = beyond(ours, theirs)
    ratio = float(difference[0].exp()) if len(difference) else 1.0
    if ratio >= NOISIER_BLURRY:
        return [f"flat parts of the blurry pictures are {ratio:.1f} times as noisy"]
    if ratio <= 1 / NOISIER_SHARP:
        return [f"flat parts of the sharp pictures are {1 / ratio:.1f} times as noisy"]
    return []


def of_colours(blurry: Sequence[Tensor], sharp: Sequence[Tensor]) -> list[str]:
    """Return clauses if one set is grey and the other is not, or their mean colours differ."""
    ours, theirs = _colours(blurry), _colours(sharp)
    grey = [float((colours[:, 2] < GREY).float().mean()) for colours in (ours, theirs)]
    if max(grey) > 0.9 and min(grey) < 0.1:
        one, other = ("blurry", "sharp") if grey[0] > grey[1] else ("sharp", "blurry")
        return [f"the {one} pictures are grey, the {other} ones in colour"]
    found: list[str] = []
    for name, difference in zip(_NAMES, beyond(ours, theirs), strict=True):
        levels = float(difference)
        if abs(levels) > COLOUR:
            who = "blurry" if levels > 0 else "sharp"
            found.append(f"the {who} pictures are {name} by {abs(levels):.0f} of 255 levels")
    return found


def swapped(blurry: PictureSet, sharp: PictureSet) -> list[str]:
    """Return a sentence if B is clearly sharper than S."""
    ours, theirs = (
        torch.tensor([float(blur_effect(image[None])) for image in middles(pictures)])
        for pictures in (blurry, sharp)
    )
    if min(len(ours), len(theirs)) < LEAST:
        return []
    error = (ours.var() / len(ours) + theirs.var() / len(theirs)).sqrt()
    if ours.mean() > theirs.mean() - BEYOND * error:
        return []
    return [
        "the pictures given as blurry are sharper than those given as sharp (blur effect "
        f"{float(ours.mean()):.2f} against {float(theirs.mean()):.2f}): are the folders swapped?"
    ]


def middles(pictures: PictureSet) -> list[Tensor]:
    """Return the middle `(3, h, w)` in [0, 1] of one picture of each scene, of `SCENES` at most."""
    first = {picture.scene: picture for picture in reversed(pictures)}
    return [_middle(first[scene].pixels).float() / 255 for scene in _some(sorted(first), SCENES)]


def beyond(blurry: Tensor, sharp: Tensor) -> Tensor:
    """Return by how much B's means `(n, k)` exceed S's `(m, k)`, 0 where scenes may explain it.

    Returns:
        `(k,)`; a difference within `BEYOND` deviations between scenes, plus as many standard
        errors, becomes 0. Empty where there are too few scenes.
    """
    if min(len(blurry), len(sharp)) < LEAST:
        return blurry.new_zeros(0)
    difference = blurry.mean(0) - sharp.mean(0)
    deviation = ((blurry.var(0) + sharp.var(0)) / 2).sqrt()
    error = deviation * (1 / len(blurry) + 1 / len(sharp)) ** 0.5
    return difference.where(difference.abs() > BEYOND * (deviation + error), 0.0)


def _noise(pictures: Sequence[Tensor]) -> Tensor:
    """Return the logarithm of the noise `(n, 1)` of pictures that have flat parts."""
    levels = [level for level in map(noise_level, pictures) if level > 0]
    return torch.tensor([[log(max(level, _FLOOR))] for level in levels]).reshape(-1, 1)


def _colours(pictures: Sequence[Tensor]) -> Tensor:
    """Return red and blue less grey, and the range of channels, `(n, 3)` in 8-bit steps."""
    rows: list[Tensor] = []
    for image in pictures:
        red, _, blue = (image - image.mean(0)).mean((1, 2))
        rows.append(255 * torch.stack([red, blue, (image.amax(0) - image.amin(0)).mean()]))
    return torch.stack(rows)


def _middle(pixels: Tensor) -> Tensor:
    height, width = pixels.shape[1:]
    top, left = max(0, (height - SIDE) // 2), max(0, (width - SIDE) // 2)
    return pixels[:, top : top + SIDE, left : left + SIDE]


def _some(items: Sequence[str], count: int) -> list[str]:
    """Return at most `count` items, evenly spread."""
    step = max(1, -(-len(items) // count))
    return list(items[::step])


def _cameras(pictures: PictureSet) -> Counter[str]:
    """Return how many files name which camera; nothing where fewer than half name any."""
    looked = pictures[:: max(1, -(-len(pictures) // FILES))]
    named = [name for picture in looked if (name := camera_of(picture.path))]
    return Counter(named) if 2 * len(named) >= len(looked) else Counter()


def _sizes(pictures: PictureSet) -> Counter[Size]:
    looked = pictures[:: max(1, -(-len(pictures) // FILES))]
    sides = [picture_size(picture.path) for picture in looked]
    return Counter((max(size), min(size)) for size in sides)


def _usual(sizes: Counter[Size]) -> Size | None:
    """Return the size of at least half of the pictures, or None."""
    size, count = sizes.most_common(1)[0]
    return size if 2 * count >= sizes.total() else None
