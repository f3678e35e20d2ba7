"""bf16 is chosen by what a machine is made for, and by a measurement where that does not say."""

from __future__ import annotations

import pytest
import torch

from b2b_core.training import fast_bf16 as module
from b2b_core.training.precision import Numerics

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def _forget():
    module.fast_bf16.cache_clear()
    yield
    module.fast_bf16.cache_clear()


@pytest.mark.parametrize(
    ("tiles", "vectors", "seconds", "fast"),
    [
        (True, True, None, True),
        (False, False, None, False),
        (False, True, {torch.float32: 2.0, torch.bfloat16: 1.0}, True),
        (False, True, {torch.float32: 1.1, torch.bfloat16: 1.0}, False),
        (False, True, {torch.float32: 1.0, torch.bfloat16: 4.0}, False),
    ],
)
def test_vector_instructions_alone_are_timed(monkeypatch, tiles, vectors, seconds, fast):
    """`None`: nothing may be timed, so that asking is free where the answer is known."""
    monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: tiles)
    monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda: vectors)
    asked = []

    def timed(dtype):
        asked.append(dtype)
        return seconds[dtype]

    monkeypatch.setattr(module, "convolution_seconds", timed)
    assert module.fast_bf16(CPU) is fast
    assert Numerics("cpu", "auto").half is fast
    assert sorted(map(str, asked)) == sorted(map(str, seconds or ())), "timed once, then known"


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_convolution_takes_time_in_both_formats(dtype):
    """On every CPU, whether or not it has instructions for it."""
    assert 0 < module.convolution_seconds(dtype) < 60
