"""Simulated cameras, by name: sharp photographs in, what the camera would store out.

Nothing here is learned from; the adaptation sees only the pictures. Numpy and Pillow only.
"""

from __future__ import annotations

from collections.abc import Mapping

from b2b_core.bench.cameras.base import Camera
from b2b_core.bench.cameras.beyond import Beyond
from b2b_core.bench.cameras.defocus import Defocus
from b2b_core.bench.cameras.long_motion import LongMotion
from b2b_core.bench.cameras.phone import Phone
from b2b_core.config import structure
from b2b_core.errors import UsageError
from b2b_core.names import suggestion

CAMERAS: Mapping[str, type[Camera]] = {
    "defocus": Defocus,
    "long-motion": LongMotion,
    "phone": Phone,
    "beyond": Beyond,
}


def camera_named(name: str, parameters: Mapping[str, object]) -> Camera:
    """Return the camera `name` with its parameters checked.

    Raises:
        UsageError: for an unknown camera or parameter, with the closest name.
    """
    if name not in CAMERAS:
        raise UsageError(f"there is no camera '{name}'", mend=suggestion(name, CAMERAS))
    return structure(CAMERAS[name], parameters, where=f"camera {name}")
