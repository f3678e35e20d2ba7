"""Randomness as a pure function of (seed, stream, numbers).

A run that was killed and goes on draws what it would have drawn: no generator state is carried
from one step to the next.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import contextmanager

import numpy as np
import torch

from b2b_core.typed_torch import random


def derive_seed(seed: int, stream: str, *numbers: int) -> int:
    """Return a 63-bit seed for one named use of randomness, the same on every machine."""
    text = ":".join([str(seed), stream, *map(str, numbers)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_rng(seed: int, stream: str, *numbers: int) -> np.random.Generator:
    """Return a numpy generator for one named use of randomness."""
    return np.random.default_rng(derive_seed(seed, stream, *numbers))


def torch_rng(seed: int, stream: str, *numbers: int) -> torch.Generator:
    """Return a CPU torch generator for one named use of randomness."""
    return torch.Generator().manual_seed(derive_seed(seed, stream, *numbers))


def seed_torch(seed: int, stream: str, *numbers: int) -> None:
    """Seed what torch draws from without being given a generator, on every device."""
    random.manual_seed(derive_seed(seed, stream, *numbers))


@contextmanager
def seeded(seed: int, stream: str) -> Generator[None]:
    """Seed torch for the body; afterwards the CPU's generator goes on where it was."""
    with random.fork_rng(devices=[]):
        seed_torch(seed, stream)
        yield
