"""The machine that a number was made on."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import torch

_CPU = Path("/proc/cpuinfo")


def machine() -> dict[str, str]:
    """Return processor, cores that this process may use, threads and GPU of torch, versions."""
    found = {
        "processor": _processor(),
        "cores": str(_cores()),
        "threads": str(torch.get_num_threads()),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    if torch.cuda.is_available():
        found["gpu"] = torch.cuda.get_device_name()
    return found


def _processor() -> str:
    """Return the processor's name, with AMX where it has it: bf16 depends on that."""
    try:
        lines = _CPU.read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    said = dict(
        (key.strip(), value.strip()) for key, _, value in (line.partition(":") for line in lines)
    )
    name = said.get("model name") or platform.machine()
    return f"{name}, AMX" if "amx_tile" in said.get("flags", "").split() else name


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
