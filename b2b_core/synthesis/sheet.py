"""A contact sheet: pictures of one size in rows, to compare at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

#: Grey level between pictures.
_GROUND = 0.5


def contact_sheet(rows: Sequence[Sequence[Tensor]], gap: int = 4) -> Tensor:
    """Return one picture `(3, H, W)` in [0, 1] with a gap around and between all others.

    Args:
        rows: pictures `(3, h, w)` in [0, 1], all of one size; rows may differ in length.
        gap: in pixels.

    Raises:
        ValueError: if there is no picture, or sizes differ.
    """
    sizes = {tuple(picture.shape) for row in rows for picture in row}
    if len(sizes) != 1:
        raise ValueError(f"a contact sheet needs pictures of one size, got {sorted(sizes)}")
    _, height, width = sizes.pop()
    columns = max(len(row) for row in rows)
    sheet = torch.full(
        (3, gap + len(rows) * (height + gap), gap + columns * (width + gap)), _GROUND
    )
    for down, row in enumerate(rows):
        for across, picture in enumerate(row):
            top, left = gap + down * (height + gap), gap + across * (width + gap)
            sheet[:, top : top + height, left : left + width] = picture
    return sheet
