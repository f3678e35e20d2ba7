"""The machine that a number was made on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

_CPU = Path("/proc/cpuinfo")


def machine(*, half: bool) -> dict[str, str]:
    """Return processor, cores that this process may use, threads and GPU of torch, versions.

    Args:
        half: whether networks ran in bf16.
    """
    found = {
        "processor": _processor(),
        "cores": str(_cores()),
        "threads": str(torch.get_num_threads()),
        "numbers": "bf16" if half else "float32",
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _processor() -> str:
    try:
        lines = _CPU.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "") or platform.processor() or platform.machine()


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
