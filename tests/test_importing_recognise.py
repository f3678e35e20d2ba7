"""Recognition by names and shapes alone, at full size: every published network, and near misses."""

from __future__ import annotations

from math import prod
from pathlib import Path

import pytest
import torch

from b2b_core.catalogue import discover
from b2b_core.errors import UsageError
from b2b_core.importing.choice import choose
from b2b_core.importing.recognise import fitting, nearest, shapes_of

HERE = Path("some.pth")

#: Layout -> kind, component, options of the published network, keys and parameters as published.
PUBLISHED = {
    "nafnet-gopro-32": ("deblurrer", "nafnet", {"width": 32}, 664, 17_111_907),
    "nafnet-gopro-64": ("deblurrer", "nafnet", {"width": 64}, 664, 67_888_835),
    "restormer": ("deblurrer", "restormer", {}, 494, 26_126_644),
    "mimo-unet": ("deblurrer", "mimo-unet", {}, 244, 6_807_171),
    "mimo-unet-plus": ("deblurrer", "mimo-unet", {"plus": True}, 532, 16_107_651),
    "patchgan": ("discriminator", "patchgan", {}, 10, 2_764_737),
    "kernel-wizard": ("kernel-extractor", "kernel-space", {}, 159, None),
    "kernel-wizard-vae": ("kernel-extractor", "kernel-space", {"vae": True}, 159, None),
    "vgg16": ("feature-extractor", "vgg16", {}, 22, 9_995_072),
    "vgg19": ("feature-extractor", "vgg19", {}, 26, 12_944_960),
}
#: What else the shapes must give back: other sizes of the same networks.
OTHERS = {
    "nafnet-reds-like": ("deblurrer", "nafnet", {"width": 8, "encoders": [2, 2, 4, 8]}),
    "nafnet-two-levels": (
        "translator",
        "nafnet",
        {"width": 12, "middle": 3, "encoders": [1, 0], "decoders": [2, 5]},
    ),
    "restormer-denoise": ("deblurrer", "restormer", {"norm": "bias-free"}),
    "restormer-other": (
        "translator",
        "restormer",
        {"dim": 12, "blocks": [1, 2, 3, 1], "heads": [1, 1, 3, 6], "expansion": 1.5, "bias": True},
    ),
    "mimo-unet-small": ("translator", "mimo-unet", {"width": 16, "blocks": 3}),
    "mimo-unet-deep": ("translator", "mimo-unet", {"width": 8, "blocks": 24, "plus": True}),
    "patchgan-group": ("discriminator", "patchgan", {"width": 16, "norm": "group"}),
    "patchgan-spectral": ("discriminator", "patchgan", {"width": 16, "spectral": True}),
    "laplacian": ("discriminator", "laplacian-patchgan", {"width": 16}),
    "kernel-space-small": (
        "kernel-extractor",
        "kernel-space",
        {"width": 8, "code_channels": 24, "front_blocks": 1, "back_blocks": 3, "code_blocks": 2,
         "downsamplings": 3, "vae": True},
    ),
    "unet": ("deblurrer", "unet", {"width": 8, "levels": 2, "blocks": 3}),
    "unet-multiscale": ("translator", "unet-multiscale", {"width": 8, "blocks": 1}),
}  # fmt: skip
ALL = {name: case[:3] for name, case in PUBLISHED.items()} | OTHERS


@pytest.fixture(scope="module")
def catalogue():
    """Return the installed plugins."""
    return discover()


@pytest.fixture(scope="module")
def file_of(catalogue):
    """Give the tensors of a network as a file would hold them, without their numbers."""

    def make(case):
        kind, component, options = ALL[case]
        with torch.device("meta"):
            return dict(catalogue.build(kind, component, options).state_dict())

    return make


@pytest.mark.parametrize("case", ALL)
def test_names_and_shapes_give_the_network_back(catalogue, file_of, case):
    """Kind, component and every option that leaves a trace are read from the shapes."""
    kind, component, options = ALL[case]
    matches = fitting(catalogue, shapes_of(file_of(case)))
    assert {match.offer.spec.name for match in matches} == {component}
    match = next(match for match in matches if match.kind == kind)
    assert {key: match.options[key] for key in options} == options
    default = catalogue.spec(kind, component).config()
    for key in match.options.keys() - options.keys():
        expected = getattr(default, key)
        assert match.options[key] == (list(expected) if isinstance(expected, tuple) else expected)


@pytest.mark.parametrize("case", PUBLISHED)
def test_counts_are_those_published(catalogue, file_of, case):
    """Keys and parameters of the recognised network are those of the published file."""
    kind, _, _, keys, parameters = PUBLISHED[case]
    matches = fitting(catalogue, shapes_of(file_of(case)))
    found = shapes_of(next(m for m in matches if m.kind == kind).network.state_dict())
    assert len(found) == keys
    total = sum(prod(shape) for shape in found.values())
    if parameters is None:  # published in millions only
        assert round(total / 1e6, 1) == (115.3 if case.endswith("vae") else 49.2)
    else:
        assert total == parameters


def test_published_shapes_written_down(catalogue):
    """Shapes written down from the publication, not taken from our network, are recognised."""
    widths = (64, 128, 256, 512, 1)
    shapes, inputs = {}, 3
    for place, width in zip((0, 2, 5, 8, 11), widths, strict=True):
        shapes[f"model.{place}.weight"] = (width, inputs, 4, 4)
        shapes[f"model.{place}.bias"] = (width,)
        inputs = width
    assert [match.layout.name for match in fitting(catalogue, shapes)] == ["patchgan"]
    plan = [64, 64, 0, 128, 128, 0, *[256] * 4, 0, *[512] * 4, 0, *[512] * 4]
    shapes, inputs, place = {}, 3, 0
    for width in plan:
        if width:
            shapes[f"features.{place}.weight"] = (width, inputs, 3, 3)
            shapes[f"features.{place}.bias"] = (width,)
            inputs = width
        place += 2 if width else 1
    for place, size in ((0, (4096, 25088)), (3, (4096, 4096)), (6, (1000, 4096))):
        shapes[f"classifier.{place}.weight"] = size
        shapes[f"classifier.{place}.bias"] = size[:1]
    assert sum(prod(shape) for shape in shapes.values()) == 143_667_240  # torchvision's VGG19
    (match,) = fitting(catalogue, shapes)
    assert match.layout.name == "torchvision-vgg19"
    assert len(match.comparison.unused) == 6 + 2 * 3


@pytest.mark.parametrize("case", [*PUBLISHED, "laplacian", "unet"])
def test_near_misses_are_refused_with_the_names(catalogue, file_of, case):
    """One key missing, one added, one of another shape: refused, with the layout and the name."""
    whole = file_of(case)
    name = list(whole)[len(whole) // 2]
    wrong_shape = torch.empty(*whole[name].shape, 2, device="meta")
    changes = {
        f"1 missing ({name})": {k: v for k, v in whole.items() if k != name},
        f"1 of another shape ({name}: ": {**whole, name: wrong_shape},
        "1 unexpected (zzz.weight)": {**whole, "zzz.weight": torch.empty(3, device="meta")},
    }
    for words, tensors in changes.items():
        assert not fitting(catalogue, shapes_of(tensors))
        with pytest.raises(UsageError) as caught:
            choose(catalogue, tensors, "0" * 64, kind=None, component=None, where=HERE)
        assert words in str(caught.value)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", PUBLISHED)
def test_a_wrong_first_tensor_is_named_too(catalogue, file_of, case):
    """Even where the tensor is missing that says how wide the network is, its name is told."""
    whole = file_of(case)
    name = next(iter(whole))
    tensors = {key: value for key, value in whole.items() if key != name}
    with pytest.raises(UsageError) as caught:
        choose(catalogue, tensors, "0" * 64, kind=None, component=None, where=HERE)
    assert name in str(caught.value)


def test_every_layout_is_documented(catalogue):
    """The table of what is recognised lists all layouts of the project's plugins."""
    page = (Path(__file__).parents[1] / "docs" / "importing.md").read_text(encoding="utf-8")
    offers = [o for o in catalogue.offers if o.distribution.startswith("b2b-plugin-")]
    names = {layout.name for offer in offers for layout in offer.spec.layouts}
    assert names
    assert {name for name in names if f"`{name}`" not in page} == set()


def test_a_file_of_an_unknown_network(catalogue):
    """Nothing in common: no layout is claimed to be near."""
    foreign = {"transformer.h.0.attn.c_attn.weight": torch.empty(3, 3, device="meta")}
    assert nearest(catalogue, shapes_of(foreign)) == []
    with pytest.raises(UsageError, match=r"none of its names is in any layout.*list-plugins"):
        choose(catalogue, foreign, "0" * 64, kind=None, component=None, where=HERE)


def test_the_nearest_layouts_are_ranked(catalogue, file_of):
    """A NAFNet without its middle is nearest to NAFNet; its share and what lacks are said."""
    part = {k: v for k, v in file_of("nafnet-gopro-32").items() if not k.startswith("ending")}
    near = nearest(catalogue, shapes_of(part))
    assert near[0].layout.name == "nafnet"
    assert near[0].comparison.share == pytest.approx(662 / 664)
    with pytest.raises(UsageError, match=r"nearest: nafnet \(100 %.*2 missing \(ending.weight"):
        choose(catalogue, part, "0" * 64, kind=None, component=None, where=HERE)


def test_contradictions_are_explained(catalogue, file_of):
    """Where the shapes contradict each other, the line says how."""
    batch_norm = file_of("patchgan") | {"model.3.running_mean": torch.empty(128, device="meta")}
    with pytest.raises(UsageError, match="it has batch normalisation"):
        choose(catalogue, batch_norm, "0" * 64, kind=None, component=None, where=HERE)
    name = "latent.0.ffn.project_out.weight"
    widened = file_of("restormer") | {name: torch.empty(384, 1500, 1, 1, device="meta")}
    with pytest.raises(UsageError, match=rf"do not widen by one factor.*{name}"):
        choose(catalogue, widened, "0" * 64, kind=None, component=None, where=HERE)


def test_the_kind_can_be_chosen(catalogue, file_of):
    """A NAFNet is a deblurrer unless the user says translator; a PatchGAN is neither."""
    nafnet = file_of("nafnet-gopro-32")
    for said, expected in ((None, "deblurrer"), ("translator", "translator")):
        chosen = choose(catalogue, nafnet, "0" * 64, kind=said, component=None, where=HERE)
        assert chosen.match.kind == expected
        assert set(chosen.kinds) == {"deblurrer", "translator"}
    with pytest.raises(UsageError, match=r"weights of patchgan \(discriminator\), not of a deblur"):
        choose(
            catalogue, file_of("patchgan"), "0" * 64, kind="deblurrer", component=None, where=HERE
        )


def test_prefixes_do_not_hide_a_network(catalogue, file_of):
    """The discriminator of Blur2Blur, wrapped twice, and names that a compiler prefixed."""
    for prefix in ("module.", "netG.module.", "_orig_mod.", "module.module."):
        wrapped = {prefix + name: value for name, value in file_of("patchgan").items()}
        chosen = choose(catalogue, wrapped, "0" * 64, kind=None, component=None, where=HERE)
        assert chosen.match.layout.name == "patchgan"
        assert set(chosen.tensors) == set(file_of("patchgan"))
        assert chosen.remarks == [f"'{prefix}' was taken off the names"]


SECOND = """
from attrs import frozen
from b2b_core import hookimpl
from b2b_core.layouts import Layout
from b2b_core.specs import DeblurrerSpec

@frozen
class Config:
    width: int = 4

def build(config):
    from torch import nn
    return nn.Sequential(nn.Conv2d(3, config.width, 3), nn.Conv2d(config.width, 3, 3))

def read(shapes):
    {read}

@hookimpl
def b2b_deblurrers():
    return [DeblurrerSpec(
        name="twoconv", config=Config, factory=build, summary="two convolutions",
        layouts=(Layout(name="twoconv", keys=("0.weight", "1.weight"), read=read),),
    )]
"""
TWO = {
    "0.weight": torch.empty(5, 3, 3, 3, device="meta"),
    "0.bias": torch.empty(5, device="meta"),
    "1.weight": torch.empty(3, 5, 3, 3, device="meta"),
    "1.bias": torch.empty(3, device="meta"),
}


def test_a_third_party_layout(install):
    """A plugin's own layout works like ours; two plugins with one layout have to be told apart."""
    source = SECOND.replace("{read}", "return Config(width=shapes['0.weight'][0])")
    install("b2b-plugin-first", source)
    chosen = choose(discover(), TWO, "0" * 64, kind=None, component=None, where=HERE)
    assert chosen.match.full_name == "b2b-plugin-first:twoconv"
    assert chosen.match.options == {"width": 5}
    install("b2b-plugin-second", source)
    both = discover()
    with pytest.raises(UsageError, match=r"2 components.*--component b2b-plugin-first:twoconv or"):
        choose(both, TWO, "0" * 64, kind=None, component=None, where=HERE)
    chosen = choose(both, TWO, "0" * 64, kind=None, component="second:twoconv", where=HERE)
    assert chosen.match.full_name == "b2b-plugin-second:twoconv"


def test_a_failing_layout_stops_no_other(install):
    """A plugin whose reader has a bug is left out; the file is still recognised by another."""
    install("b2b-plugin-bad", SECOND.replace("{read}", "return shapes.nonsense"))
    install("b2b-plugin-good", SECOND.replace("{read}", "return Config(shapes['0.weight'][0])"))
    chosen = choose(discover(), TWO, "0" * 64, kind=None, component=None, where=HERE)
    assert chosen.match.full_name == "b2b-plugin-good:twoconv"
