"""VGG: torchvision's layout, a restatement in float64, frozen behaviour, and its weight files."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch.nn import functional as F

from b2b_core.errors import B2bError, UsageError
from b2b_plugin_perceptual.config import Vgg16Config, Vgg19Config
from b2b_plugin_perceptual.vgg import Vgg, build_vgg, layer_names
from b2b_plugin_perceptual.weights import load_vgg_weights

SHALLOW = Vgg16Config(taps=("relu1_1", "conv2_1"), layer_weights=(0.5, 2.0))

#: torchvision's place of each convolution, and its channels, up to conv5_1.
VGG16 = {
    0: 64,
    2: 64,
    5: 128,
    7: 128,
    10: 256,
    12: 256,
    14: 256,
    17: 512,
    19: 512,
    21: 512,
    24: 512,
}
VGG19 = VGG16 | {16: 256, 23: 512, 25: 512, 28: 512}
for _absent in (17, 24):
    VGG19.pop(_absent)


@pytest.fixture(autouse=True)
def seeded():
    """Draw the same numbers in every test."""
    torch.manual_seed(0)


@pytest.mark.parametrize(
    ("variant", "config", "places", "parameters"),
    [("vgg16", Vgg16Config(), VGG16, 9_995_072), ("vgg19", Vgg19Config(), VGG19, 12_944_960)],
)
def test_names_and_shapes_are_torchvisions(variant, config, places, parameters):
    """Up to conv5_1 names and shapes are `features.N` of torchvision."""
    network = Vgg(variant, config)
    expected, inputs = {}, 3
    for place in sorted(places):
        expected[f"features.{place}.weight"] = (places[place], inputs, 3, 3)
        expected[f"features.{place}.bias"] = (places[place],)
        inputs = places[place]
    assert {k: tuple(v.shape) for k, v in network.state_dict().items()} == expected
    assert sum(p.numel() for p in network.parameters()) == parameters


def test_published_taps_are_at_the_published_places():
    """VGG16's default taps are features 8, 15, 18, 22 and 24: the published effective layers."""
    names = layer_names("vgg16")
    assert [names.index(tap) for tap in Vgg16Config().taps] == [8, 15, 18, 22, 24]
    assert len(names) == 31
    assert len(layer_names("vgg19")) == 37


def test_maps_against_restatement():
    """VGG16's five maps, wired by hand in float64, each times its factor."""
    network = Vgg("vgg16", Vgg16Config()).double()
    s = network.state_dict()
    image = torch.rand(1, 3, 32, 32, dtype=torch.float64)
    x, maps, place = image, {}, 0
    for stage in (2, 2, 3, 3, 1):
        for _ in range(stage):
            x = F.conv2d(x, s[f"features.{place}.weight"], s[f"features.{place}.bias"], padding=1)
            maps[place] = x
            x = maps[place + 1] = x.clamp(min=0)
            place += 2
        x = x.unfold(2, 2, 2).unfold(3, 2, 2).amax((-2, -1))
        place += 1
    expected = [
        maps[place] * factor
        for place, factor in zip(
            (8, 15, 18, 22, 24), (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1), strict=True
        )
    ]
    torch.testing.assert_close(network(image), expected)


def test_imagenet_normalisation():
    """With "imagenet" the first layer sees (x - mean) / deviation of the colour channels."""
    taps = {"taps": ("conv1_1",), "layer_weights": (1.0,)}
    plain = Vgg("vgg19", Vgg19Config(normalisation="none", **taps))
    normed = Vgg("vgg19", Vgg19Config(normalisation="imagenet", **taps))
    image = torch.rand(1, 3, 8, 8)
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    by_hand = torch.stack([(image[:, c] - mean[c]) / deviation[c] for c in range(3)], 1)
    torch.testing.assert_close(normed(image), plain(by_hand))


def test_order_follows_the_config():
    """Maps come in the order of the taps, whatever their depth."""
    forward, backward = (
        Vgg("vgg16", Vgg16Config(taps=taps, layer_weights=(1.0, 1.0)))
        for taps in (("relu1_1", "conv2_1"), ("conv2_1", "relu1_1"))
    )
    image = torch.rand(1, 3, 8, 8)
    assert [m.shape for m in forward(image)] == [m.shape for m in backward(image)[::-1]]


def test_without_weights_it_is_always_the_same():
    """Random weights come from a fixed seed and leave torch's own generator alone."""
    torch.manual_seed(1)
    first = Vgg("vgg16", SHALLOW)
    drawn = torch.rand(1)
    torch.manual_seed(2)
    second = Vgg("vgg16", SHALLOW)
    assert torch.equal(first.features[0].weight, second.features[0].weight)
    assert drawn != torch.rand(1)


def test_frozen_but_transparent():
    """It stays in evaluation mode and untrained, and lets the gradient reach the picture."""
    network = Vgg("vgg16", SHALLOW)
    network.train()
    assert not any(module.training for module in network.modules())
    image = torch.rand(1, 3, 8, 8, requires_grad=True)
    sum(m.square().sum() for m in network(image)).backward()
    assert image.grad.abs().sum() > 0
    assert all(not p.requires_grad and p.grad is None for p in network.parameters())


def test_gradients_against_finite_differences():
    """The gradient with respect to the picture agrees with finite differences."""
    network = Vgg("vgg16", SHALLOW).double()
    image = torch.rand(1, 3, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: tuple(network(x)), (image,), fast_mode=True)


@pytest.mark.parametrize("size", [(1, 1), (3, 9)])
def test_tiny_pictures_repeat_their_border(size):
    """A picture smaller than the poolings need is extended, not refused."""
    network = Vgg("vgg16", SHALLOW)
    image = torch.rand(2, 3, *size)
    larger = F.pad(image, (0, max(0, 2 - size[1]), 0, max(0, 2 - size[0])), mode="replicate")
    torch.testing.assert_close(network(image), network(larger))


def test_batch_of_two_is_two_of_one():
    """No picture sees its neighbour in the batch."""
    network = Vgg("vgg16", SHALLOW).double()
    images = torch.rand(2, 3, 9, 6, dtype=torch.float64)
    alone = [network(x[None]) for x in images]
    for together, *singles in zip(network(images), *alone, strict=True):
        torch.testing.assert_close(together, torch.cat(singles))


@pytest.mark.parametrize(
    ("taps", "factors"),
    [(("relu9_1",), (1.0,)), ((), ()), (("relu1_1",) * 2, (1.0, 1.0)), (("relu1_1",), (1.0, 2.0))],
)
def test_impossible_taps_are_refused(taps, factors):
    """Unknown, missing or repeated layers, or other numbers of factors, are a wrong use."""
    with pytest.raises(UsageError, match="tap"):
        Vgg("vgg16", Vgg16Config(taps=taps, layer_weights=factors))


def other_weights():
    """Return weights of a deeper VGG16 with a classifier, as torchvision stores them."""
    deeper = Vgg("vgg16", Vgg16Config(taps=("relu2_2",), layer_weights=(1.0,)))
    stored = {name: torch.randn_like(tensor) for name, tensor in deeper.state_dict().items()}
    return stored | {"classifier.0.weight": torch.zeros(2, 2), "classifier.0.bias": torch.zeros(2)}


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_weights_from_a_local_file(tmp_path: Path, suffix):
    """Both formats load through the config; classifier and deeper layers are ignored."""
    stored, path = other_weights(), tmp_path / f"vgg{suffix}"
    torch.save(stored, path) if suffix == ".pth" else save_file(stored, path)
    config = Vgg16Config(weights=str(path), taps=SHALLOW.taps, layer_weights=SHALLOW.layer_weights)
    network = build_vgg("vgg16", config)
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, stored[name])
    assert not any(p.requires_grad for p in network.parameters())


@pytest.mark.parametrize("damage", ["missing", "shape"])
def test_weights_of_another_network_are_refused(tmp_path: Path, damage):
    """A layer that is missing or has another shape fails, names the layer, and changes nothing."""
    stored, path = other_weights(), tmp_path / "vgg.safetensors"
    stored.pop("features.2.bias")
    if damage == "shape":
        stored["features.2.bias"] = torch.zeros(7)
    save_file(stored, path)
    network = Vgg("vgg16", SHALLOW)
    before = network.features[0].weight.clone()
    with pytest.raises(B2bError, match=r"features\.2\.bias"):
        load_vgg_weights(network, path)
    assert torch.equal(network.features[0].weight, before)


class Trap:
    """An object whose unpickling would create a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (Path.touch, (self.path,))


@pytest.mark.parametrize("pickler", [torch.save, lambda x, p: p.write_bytes(pickle.dumps(x, 2))])
def test_code_in_a_file_is_never_run(tmp_path: Path, pickler):
    """A file that holds more than tensors is refused, and its code does not run."""
    path, sprung = tmp_path / "vgg.pth", tmp_path / "sprung"
    pickler({"features.0.weight": Trap(sprung)}, path)
    with pytest.raises(B2bError, match="can't read VGG weights"):
        load_vgg_weights(Vgg("vgg16", SHALLOW), path)
    assert not sprung.exists()


@pytest.mark.parametrize("name", ["vgg.pth", "vgg.safetensors"])
def test_unreadable_and_absent_files(tmp_path: Path, name):
    """A file that is no archive is a failure; one that is not there is a wrong use."""
    path = tmp_path / name
    with pytest.raises(UsageError, match="no such file"):
        load_vgg_weights(Vgg("vgg16", SHALLOW), path)
    path.write_bytes(b"not an archive")
    with pytest.raises(B2bError, match="can't read VGG weights"):
        load_vgg_weights(Vgg("vgg16", SHALLOW), path)


def test_a_file_without_dictionary_is_refused(tmp_path: Path):
    """A single stored tensor is not a set of weights."""
    path = tmp_path / "vgg.pth"
    torch.save(torch.zeros(3), path)
    with pytest.raises(B2bError, match="dictionary"):
        load_vgg_weights(Vgg("vgg16", SHALLOW), path)
