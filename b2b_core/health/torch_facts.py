"""What torch can do on this machine, as JSON: `python -m b2b_core.health.torch_facts`.

Run in a process of its own: a torch that does not fit its drivers may end it.
"""

from __future__ import annotations

import json
import sys


def facts() -> dict[str, object]:
    """Return what decides about speed."""
    import torch

    from b2b_core.training.fast_bf16 import fast_bf16

    cards = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "fast_bf16": fast_bf16(torch.device("cpu")),
        "cuda": torch.version.cuda or "",
        "cards": [_card(number) for number in cards],
    }


def _card(number: int) -> str:
    import torch

    _, memory = torch.cuda.mem_get_info(number)
    major, minor = torch.cuda.get_device_capability(number)
    name = torch.cuda.get_device_name(number)
    return f"{name}, {memory / 1e9:.0f} GB, compute capability {major}.{minor}"


if __name__ == "__main__":
    sys.stdout.write("\n" + json.dumps(facts()))
