"""Restormer's building blocks against plain restatements in float64 and finite differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from b2b_plugin_restormer.attention import TransposedAttention
from b2b_plugin_restormer.config import RestormerConfig
from b2b_plugin_restormer.layers import (
    Downsample,
    GatedFeedForward,
    LayerNorm,
    TransformerBlock,
    Upsample,
)


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def randomised(module):
    """Give every parameter a random value, scales and temperatures included; in float64."""
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module.double()


def numbers(module):
    """Return a module's state as numpy arrays in float64."""
    return {name: tensor.double().numpy() for name, tensor in module.state_dict().items()}


def conv(x, weight, bias=None, groups=1):
    """Restate a convolution with odd kernel and zero padding on `(B, C, H, W)` in numpy."""
    half = weight.shape[-1] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (half, half), (half, half)))
    views = np.lib.stride_tricks.sliding_window_view(padded, weight.shape[-2:], axis=(2, 3))
    parts = zip(np.split(views, groups, 1), np.split(weight, groups, 0), strict=True)
    y = np.concatenate([np.einsum("bchwij,ocij->bohw", v, w) for v, w in parts], 1)
    return y if bias is None else y + bias[:, None, None]


@pytest.mark.parametrize("shift", [True, False])
def test_layer_norm_against_numpy(shift):
    """With shift: mean 0, deviation 1. Without: divided by the deviation and not centred."""
    norm = randomised(LayerNorm(5, shift=shift))
    x = 1 + torch.randn(2, 5, 3, 4, dtype=torch.float64)
    wide, s = x.numpy(), numbers(norm)
    deviation = np.sqrt(((wide - wide.mean(1, keepdims=True)) ** 2).mean(1, keepdims=True) + 1e-5)
    expected = (wide - wide.mean(1, keepdims=True) if shift else wide) / deviation
    expected = expected * s["body.weight"][:, None, None]
    if shift:
        expected = expected + s["body.bias"][:, None, None]
    assert set(s) == ({"body.weight", "body.bias"} if shift else {"body.weight"})
    np.testing.assert_allclose(norm(x).detach().numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("shift", [True, False])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_layer_norm_survives_half_precision(dtype, shift):
    """Values whose squares overflow float16 come out right, in the type that went in."""
    norm = LayerNorm(384, shift=shift)
    x = (500 * torch.randn(1, 384, 2, 2)).to(dtype)
    y = norm(x)
    assert y.dtype == dtype
    torch.testing.assert_close(y.float(), norm(x.float()), atol=0.02, rtol=0.01)


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize(("channels", "heads"), [(4, 1), (6, 3)])
def test_transposed_attention_against_numpy(channels, heads, bias):
    """Channel by channel: softmax of cosine times temperature weighs the head's values."""
    attention = randomised(TransposedAttention(channels, heads, bias=bias))
    x = torch.randn(2, channels, 3, 5, dtype=torch.float64)
    s, width = numbers(attention), channels // heads
    qkv = conv(x.numpy(), s["qkv.weight"], s.get("qkv.bias"))
    qkv = conv(qkv, s["qkv_dwconv.weight"], s.get("qkv_dwconv.bias"), groups=3 * channels)
    mixed = np.zeros((2, channels, 3, 5))
    for picture in range(2):
        query, key, value = np.split(qkv[picture], 3)
        for channel in range(channels):
            head = channel // width
            mates = range(head * width, (head + 1) * width)
            cosines = [
                (query[channel] * key[mate]).sum()
                / math.sqrt((query[channel] ** 2).sum() * (key[mate] ** 2).sum())
                for mate in mates
            ]
            weights = np.exp(s["temperature"][head, 0, 0] * np.array(cosines))
            weights /= weights.sum()
            mixed[picture, channel] = sum(
                weight * value[mate] for weight, mate in zip(weights, mates, strict=True)
            )
    expected = conv(mixed, s["project_out.weight"], s.get("project_out.bias"))
    np.testing.assert_allclose(attention(x).detach().numpy(), expected, atol=1e-12)


def test_attention_of_nothing_is_finite():
    """A map of zeros, whose cosines do not exist, gives zeros and a finite gradient."""
    x = torch.zeros(1, 4, 3, 3, requires_grad=True)
    attention = TransposedAttention(4, 2)
    mixed = attention(x)
    mixed.sum().backward()
    assert torch.equal(mixed, torch.zeros(1, 4, 3, 3))
    assert all(p.grad.isfinite().all() for p in (x, *attention.parameters()))


@pytest.mark.parametrize("bias", [False, True])
def test_feed_forward_against_numpy(bias):
    """The first half of the channels, through GELU, times the second; 2.66 * 3 is 7 channels."""
    module = randomised(GatedFeedForward(3, 2.66, bias=bias))
    x = torch.randn(2, 3, 4, 3, dtype=torch.float64)
    s = numbers(module)
    assert s["project_out.weight"].shape == (3, 7, 1, 1)
    y = conv(x.numpy(), s["project_in.weight"], s.get("project_in.bias"))
    y = conv(y, s["dwconv.weight"], s.get("dwconv.bias"), groups=14)
    gelu = np.vectorize(lambda v: 0.5 * v * (1 + math.erf(v / math.sqrt(2))))
    y = conv(gelu(y[:, :7]) * y[:, 7:], s["project_out.weight"], s.get("project_out.bias"))
    np.testing.assert_allclose(module(x).detach().numpy(), y, atol=1e-12)


def test_downsample_against_numpy():
    """A convolution to half the channels; then channel 4c + 2i + j is pixel (i, j) of channel c."""
    down = randomised(Downsample(4))
    x = torch.randn(1, 4, 4, 6, dtype=torch.float64)
    y = conv(x.numpy(), numbers(down)["body.0.weight"])
    expected = np.zeros((1, 8, 2, 3))
    for c in range(2):
        for i in range(2):
            for j in range(2):
                expected[:, 4 * c + 2 * i + j] = y[:, c, i::2, j::2]
    np.testing.assert_allclose(down(x).detach().numpy(), expected, atol=1e-12)


def test_upsample_against_numpy():
    """A convolution to twice the channels; then pixel (i, j) of channel c is 4c + 2i + j."""
    up = randomised(Upsample(4))
    x = torch.randn(1, 4, 2, 3, dtype=torch.float64)
    y = conv(x.numpy(), numbers(up)["body.0.weight"])
    expected = np.zeros((1, 2, 4, 6))
    for c in range(2):
        for i in range(2):
            for j in range(2):
                expected[:, c, i::2, j::2] = y[:, 4 * c + 2 * i + j]
    np.testing.assert_allclose(up(x).detach().numpy(), expected, atol=1e-12)


def test_block_adds_attention_then_feed_forward():
    """The block is x + attention(norm(x)), then the same with the feed-forward part."""
    block = randomised(TransformerBlock(4, 2, RestormerConfig()))
    x = torch.randn(1, 4, 3, 5, dtype=torch.float64)
    middle = x + block.attn(block.norm1(x))
    torch.testing.assert_close(block(x), middle + block.ffn(block.norm2(middle)))


@pytest.mark.parametrize(
    "build",
    [
        lambda: LayerNorm(3),
        lambda: LayerNorm(3, shift=False),
        lambda: TransposedAttention(4, 2, bias=True),
        lambda: TransposedAttention(4, 2, window=2),
        lambda: GatedFeedForward(3, 1.5, bias=True),
        lambda: TransformerBlock(2, 1, RestormerConfig(norm="bias-free")),
    ],
)
def test_gradients_against_finite_differences(build):
    """Gradients with respect to the map and to every parameter agree with finite differences."""
    module = randomised(build())
    channels = next(p for p in module.parameters() if p.dim() != 3).shape
    channels = channels[1] if len(channels) == 4 else channels[0]
    x = torch.randn(1, channels, 3, 4, dtype=torch.float64, requires_grad=True)
    parameters = dict(module.named_parameters())

    def run(x, *values):
        return torch.func.functional_call(module, dict(zip(parameters, values, strict=True)), (x,))

    assert torch.autograd.gradcheck(run, (x, *parameters.values()))


def test_attention_weighs_in_float32_under_autocast():
    """With bfloat16 autocast the weights are those of float32 on the same queries and keys."""
    attention = TransposedAttention(8, 2)
    query, key = torch.randn(2, 1, 2, 4, 5000).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = attention._likeness(query, key)
    wide = [F.normalize(part.double(), dim=-1) for part in (query, key)]
    expected = (wide[0] @ wide[1].mT).softmax(-1)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), expected, atol=1e-6, rtol=0)
