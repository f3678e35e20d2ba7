"""How large a picture a device takes at once, and how it says that it was too large."""

from __future__ import annotations

import torch

from b2b_core.memory import physical_memory
from b2b_core.typed_torch import cuda

#: Generous working memory of a deblurring network in float32, in bytes per pixel. Measured on a
#: CPU: U-Net 800, NAFNet-32 1,500, NAFNet-64 2,200; Restormer is reported to take 15,000.
BYTES_PER_PIXEL = 12_000
#: The same, less generous, where tiles change the result: Restormer was measured to take 6,000 of
#: a whole picture and 7,700 of a small tile.
BYTES_PER_PIXEL_WHOLE = 8_000
#: Share of the device's memory for it. On a CPU a lack of memory ends the process, so less.
GPU_SHARE, CPU_SHARE = 0.8, 0.5


def affordable_pixels(device: torch.device, *, half: bool, whole: bool = False) -> int:
    """Return how many pixels `device` surely restores at once; `half` for 16-bit numbers.

    It depends on the memory that is built in, not on what is free now: a picture is cut in the same
    way every time, and networks that average over their input give the same result. They are
    `whole` ones, see `SizeRule`, and get more pixels at once.
    """
    each = BYTES_PER_PIXEL_WHOLE if whole else BYTES_PER_PIXEL
    if device.type == "cuda":
        memory = GPU_SHARE * cuda.get_device_properties(device).total_memory
        return int(memory) // (each // 2 if half else each)
    return int(CPU_SHARE * physical_memory()) // each


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell lack of memory, on any device, from other failures."""
    said = str(error)
    words = ("out of memory", "can't allocate memory", "not enough memory", "ALLOC_FAILED")
    return isinstance(error, torch.OutOfMemoryError) or any(word in said for word in words)


def release(device: torch.device) -> None:
    """Give cached memory back, so that smaller pieces find room."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
