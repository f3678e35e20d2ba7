"""Real pairs whose sharp frame lies beside the middle of the motion: the frame is moved there.

Who averages eight frames and keeps the fifth has a sharp picture half a frame late: up to some
pixels off, by another way in each part of the picture. A deblurrer that gives the middle, as all
blur whose kernels are centred asks for, would be counted wrong for it.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from torch.nn import functional

from b2b_core.bench.cameras.base import Array, Levels

#: Side of the windows that are compared, and how far apart they lie, in pixels.
WINDOW, STRIDE = 128, 64
#: The largest shift that is looked for, in pixels.
FARTHEST = 24
#: Correlations are computed at so many points for a pixel, and a parabola finds the top between.
FINER = 4
#: Deviation of grey levels below which a window shows too little to be compared.
TEXTURE = 10.0


def registered(sharp: Levels, blurry: Levels) -> Levels:
    """Return the sharp picture moved to where the blurry one has its middle.

    Shifts are found window by window, by cross-correlation, whose top is where the blur's centre of
    light is; a median over neighbours drops those that disagree, and between the windows' middles
    they are interpolated.

    Args:
        sharp: `(H, W, 3)`, at least a window large.
        blurry: the same scene.
    """
    down, right = (_smooth(way) for way in shifts(_grey(sharp), _grey(blurry)))
    height, width = sharp.shape[:2]
    rows, columns = np.mgrid[:height, :width]
    places = [
        2 * (columns - _between(right, height, width)) / (width - 1) - 1,
        2 * (rows - _between(down, height, width)) / (height - 1) - 1,
    ]
    picture = torch.as_tensor(sharp).permute(2, 0, 1)[None].float()
    grid = torch.as_tensor(np.stack(places, -1)[None]).float()
    moved = functional.grid_sample(picture, grid, "bicubic", "border", align_corners=True)
    return np.asarray(moved[0].permute(1, 2, 0).round().clamp(0, 255), np.uint8)


def shifts(sharp: Array, blurry: Array) -> tuple[Array, Array]:
    """Return by how many pixels each window of `blurry` lies lower, and farther right.

    Args:
        sharp: grey levels `(H, W)`.
        blurry: the same.

    Returns:
        Two arrays, a number for each window, rows and columns of windows; NaN where a window shows
        too little, or the two do not match within `FARTHEST`.
    """
    ours, theirs = (
        sliding_window_view(grey, (WINDOW, WINDOW))[::STRIDE, ::STRIDE] for grey in (sharp, blurry)
    )
    found = np.full((*ours.shape[:2], 2), np.nan)
    for place in np.ndindex(*ours.shape[:2]):
        if ours[place].std() >= TEXTURE:
            found[place] = _shift(ours[place], theirs[place])
    return found[..., 0], found[..., 1]


def _shift(sharp: Array, blurry: Array) -> tuple[float, float]:
    hann = np.outer(np.hanning(WINDOW), np.hanning(WINDOW))
    spectra = [np.fft.fft2((one - one.mean()) * hann) for one in (blurry, sharp)]
    product = np.fft.fftshift(spectra[0] * spectra[1].conj())
    size = WINDOW * FINER
    margin = (size - WINDOW) // 2
    alike = np.fft.fftshift(np.fft.ifft2(np.fft.ifftshift(np.pad(product, margin))).real)
    middle, reach = size // 2, FARTHEST * FINER
    near = alike[middle - reach : middle + reach + 1, middle - reach : middle + reach + 1]
    row, column = np.unravel_index(near.argmax(), near.shape)
    if not (0 < row < 2 * reach and 0 < column < 2 * reach):
        return np.nan, np.nan
    down = row + _top(near[row - 1 : row + 2, column])
    right = column + _top(near[row, column - 1 : column + 2])
    return (down - reach) / FINER, (right - reach) / FINER


def _top(values: Array) -> float:
    """Return where a parabola through three points has its top, from the middle one."""
    before, here, after = values
    return float((before - after) / (2 * (before - 2 * here + after)))


def _smooth(way: Array) -> Array:
    """Return medians over three by three windows; 0 where none of them shows anything."""
    around = sliding_window_view(np.pad(way, 1, constant_values=np.nan), (3, 3))
    flat = around.reshape(*way.shape, 9)
    known = ~np.isnan(flat).all(-1)
    smooth = np.zeros(way.shape)
    smooth[known] = np.nanmedian(flat[known], -1)
    return smooth


def _between(way: Array, height: int, width: int) -> Array:
    """Interpolate windows' numbers to `(height, width)` pixels, linearly; the outermost go on."""
    return _weights(height, way.shape[0]) @ way @ _weights(width, way.shape[1]).T


def _weights(length: int, windows: int) -> Array:
    middles = np.arange(windows) * STRIDE + (WINDOW - 1) / 2
    return np.stack([np.interp(np.arange(length), middles, one) for one in np.eye(windows)], 1)


def _grey(picture: Levels) -> Array:
    return np.asarray(picture.mean(-1), np.float64)
