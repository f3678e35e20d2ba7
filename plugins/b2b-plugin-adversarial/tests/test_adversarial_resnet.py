"""ResNet-18: torchvision's layout, and each part against a restatement in float64."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from b2b_plugin_adversarial.resnet import BasicBlock, ResNet18

LAYOUT = Path(__file__).parent / "layouts" / "resnet18.json"


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


def randomised(module):
    """Give normalisations random scales, shifts and statistics; in float64, for evaluation."""
    for name, tensor in module.state_dict().items():
        if name.endswith("running_var"):
            torch.nn.init.uniform_(tensor, 0.5, 2)
        elif tensor.dim() == 1:
            torch.nn.init.normal_(tensor, std=0.5)
    return module.double().eval()


def torchvision_layout(classes):
    """Return torchvision's names and shapes, from the paper's table 1 and its way of naming."""
    shapes = {}

    def norm(name, channels):
        parts = ("weight", "bias", "running_mean", "running_var")
        shapes.update({f"{name}.{part}": [channels] for part in parts})
        shapes[f"{name}.num_batches_tracked"] = []

    shapes["conv1.weight"] = [64, 3, 7, 7]
    norm("bn1", 64)
    inputs = 64
    for layer, outputs in enumerate((64, 128, 256, 512), start=1):
        for block in range(2):
            name = f"layer{layer}.{block}"
            shapes[f"{name}.conv1.weight"] = [outputs, inputs, 3, 3]
            norm(f"{name}.bn1", outputs)
            shapes[f"{name}.conv2.weight"] = [outputs, outputs, 3, 3]
            norm(f"{name}.bn2", outputs)
            if inputs != outputs:
                shapes[f"{name}.downsample.0.weight"] = [outputs, inputs, 1, 1]
                norm(f"{name}.downsample.1", outputs)
            inputs = outputs
    return shapes | {"fc.weight": [classes, 512], "fc.bias": [classes]}


@pytest.mark.parametrize(("classes", "parameters"), [(1000, 11_689_512), (2, 11_177_538)])
def test_layout_is_torchvisions(classes, parameters):
    """Names, shapes and the number of parameters are torchvision's, 122 tensors."""
    with torch.device("meta"):
        network = ResNet18(classes)
    shapes = {name: list(tensor.shape) for name, tensor in network.state_dict().items()}
    assert shapes == torchvision_layout(classes)
    assert len(shapes) == 122
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_layout_equals_the_snapshot():
    """With ImageNet's classes no name and no shape changes unnoticed."""
    with torch.device("meta"):
        shapes = {k: list(v.shape) for k, v in ResNet18(1000).state_dict().items()}
    assert shapes == json.loads(LAYOUT.read_text())


def normed(s, x, name):
    """Restate batch normalisation in evaluation."""
    mean, variance, scale, shift = (
        s[f"{name}.{part}"].view(1, -1, 1, 1)
        for part in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (variance + 1e-5).sqrt() * scale + shift


def restated_block(s, x, prefix, stride):
    """Return a block's output from a state dict: relu(identity + two normed convolutions)."""
    y = F.conv2d(x, s[f"{prefix}conv1.weight"], stride=stride, padding=1)
    y = normed(s, y, f"{prefix}bn1").clamp(min=0)
    y = normed(s, F.conv2d(y, s[f"{prefix}conv2.weight"], padding=1), f"{prefix}bn2")
    if f"{prefix}downsample.0.weight" in s:
        x = F.conv2d(x, s[f"{prefix}downsample.0.weight"], stride=stride)
        x = normed(s, x, f"{prefix}downsample.1")
    return (x + y).clamp(min=0)


@pytest.mark.parametrize(("inputs", "outputs", "stride"), [(3, 3, 1), (3, 5, 2), (3, 5, 1)])
def test_block_against_restatement(inputs, outputs, stride):
    """With and without a change of shape."""
    block = randomised(BasicBlock(inputs, outputs, stride))
    x = torch.randn(2, inputs, 5, 8, dtype=torch.float64)
    torch.testing.assert_close(block(x), restated_block(block.state_dict(), x, "", stride))


@pytest.mark.parametrize(("inputs", "outputs", "stride"), [(2, 2, 1), (2, 3, 2)])
def test_gradients_against_finite_differences(inputs, outputs, stride):
    """A block's gradients agree with finite differences, in evaluation and in training."""
    block = randomised(BasicBlock(inputs, outputs, stride))
    x = torch.randn(2, inputs, 4, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(block, (x,))
    assert torch.autograd.gradcheck(block.train(), (x,))


def test_whole_network_against_restatement():
    """Stem, maximum of 3x3 every second pixel, eight blocks, mean over the picture, classes."""
    network = randomised(ResNet18(3))
    s, image = network.state_dict(), torch.rand(2, 3, 40, 33, dtype=torch.float64)
    x = F.conv2d(image, s["conv1.weight"], stride=2, padding=3)
    x = F.pad(normed(s, x, "bn1").clamp(min=0), (1, 1, 1, 1))  # zeros are below no ReLU's output
    x = x.unfold(2, 3, 2).unfold(3, 3, 2).amax((-2, -1))
    for layer in range(1, 5):
        x = restated_block(s, x, f"layer{layer}.0.", 1 if layer == 1 else 2)
        x = restated_block(s, x, f"layer{layer}.1.", 1)
    expected = torch.einsum("bchw,oc->bo", x, s["fc.weight"]) / x[0, 0].numel() + s["fc.bias"]
    torch.testing.assert_close(network(image), expected)


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (33, 64)])
def test_any_size_gives_one_row_of_logits(size):
    """Pictures of any size are classified."""
    assert ResNet18(2).eval()(torch.rand(2, 3, *size)).shape == (2, 2)


def test_every_parameter_learns():
    """Every parameter receives a gradient."""
    network = ResNet18(2)
    F.cross_entropy(network(torch.rand(4, 3, 48, 48)), torch.tensor([0, 1, 0, 1])).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
