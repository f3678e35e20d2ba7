"""ONNX export: what the file computes is what PyTorch computes, or there is no file."""

from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from b2b_core.catalogue import discover
from b2b_core.cli import run
from b2b_core.errors import B2bError, UsageError
from b2b_core.export import onnx_file
from b2b_core.export.onnx_file import compare, export_onnx
from b2b_core.export.whole import Whole
from b2b_core.networks import save_network
from b2b_core.specs import SizeRule

RULE = SizeRule(multiple_of=4, minimum=8)


class Halves(nn.Module):
    """A network with a skip over one halving, and a mean over the whole picture."""

    def __init__(self) -> None:
        super().__init__()
        self.down = nn.Conv2d(3, 8, 4, stride=4)
        self.up = nn.ConvTranspose2d(8, 3, 4, stride=4)

    def forward(self, image):
        """Return an image of the same size."""
        return image + 0.1 * self.up(torch.relu(self.down(image))) * image.mean((2, 3), True)


def outputs(file, image):
    """Run a file in onnxruntime."""
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return session.run(None, {"image": image.numpy()})[0]


@pytest.fixture
def network():
    """Give a network with fixed weights."""
    torch.manual_seed(3)
    return Whole(None, Halves()).eval()


def test_a_file_of_free_size_takes_any_multiple(network, tmp_path):
    """Sizes that were not checked at export give PyTorch's result, and stay in [0, 1]."""
    file = tmp_path / "new" / "net.onnx"
    checked = export_onnx(network, file, RULE, properties={"b2b.part": "all"})
    assert checked.difference < 1e-5
    assert len(checked.sizes) == 3
    for size in [(8, 8), (16, 100), (212, 12)]:
        image = torch.rand(1, 3, *size) * 1.2 - 0.1
        found = outputs(file, image)
        assert np.abs(found - network(image).detach().numpy()).max() < 1e-5
        assert found.min() >= 0
        assert found.max() <= 1
    model = onnx.load(file)
    onnx.checker.check_model(model)
    assert {p.key: p.value for p in model.metadata_props}["b2b.part"] == "all"
    assert [i.name for i in model.graph.input] == ["image"]
    assert [p.name for p in tmp_path.rglob("*")] == ["new", "net.onnx"]


def test_a_file_of_one_size_takes_only_that(network, tmp_path):
    """A fixed size is in the file."""
    file = tmp_path / "net.onnx"
    assert export_onnx(network, file, RULE, fixed=(16, 24)).sizes == ((16, 24),)
    assert outputs(file, torch.rand(1, 3, 16, 24)).shape == (1, 3, 16, 24)
    with pytest.raises(Exception, match="16"):
        outputs(file, torch.rand(1, 3, 24, 16))


def test_a_size_that_the_network_does_not_take_is_refused(network, tmp_path):
    """The nearest size that fits is named."""
    with pytest.raises(UsageError, match="no pictures of 25x16; 28x16"):
        export_onnx(network, tmp_path / "net.onnx", RULE, fixed=(16, 25))


def test_a_file_that_differs_is_not_written(network, tmp_path, monkeypatch):
    """The check is made before the file is put in place."""
    monkeypatch.setattr(onnx_file, "TOLERANCE", -1.0)
    with pytest.raises(B2bError, match="differs from PyTorch"):
        export_onnx(network, tmp_path / "net.onnx", RULE)
    assert list(tmp_path.iterdir()) == []


def test_the_check_finds_a_difference(network, tmp_path):
    """Another network's file is not taken for this one's."""
    file = tmp_path / "net.onnx"
    export_onnx(network, file, RULE)
    torch.manual_seed(4)
    assert compare(Whole(None, Halves()).eval(), file, [(8, 8)]).difference > 1e-4


def test_missing_packages_are_named(network, tmp_path, monkeypatch):
    """The line that installs them is given."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "onnx" else name)
    with pytest.raises(UsageError, match=r"export needs onnx; pip install 'b2b-core\[onnx\]'"):
        export_onnx(network, tmp_path / "net.onnx", RULE)


class Windows(nn.Module):
    """A network that works window by window, so that its form depends on the picture's size."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 1)

    def forward(self, image):
        """Return an image of the same size."""
        rows = [self.conv(image[:, :, i : i + 8]) for i in range(0, int(image.shape[2]), 8)]
        return torch.cat(rows, 2)


def test_a_form_that_depends_on_the_size_is_refused(tmp_path):
    """For pictures of any size there is no file but the way out; for one size there is."""
    network = Whole(None, Windows()).eval()
    with pytest.raises(B2bError) as caught:
        export_onnx(network, tmp_path / "net.onnx", SizeRule(multiple_of=8))
    assert "fails on a picture of" in str(caught.value)
    assert "--size WIDTHxHEIGHT" in str(caught.value)
    assert list(tmp_path.iterdir()) == []
    fixed = export_onnx(network, tmp_path / "net.onnx", SizeRule(multiple_of=8), fixed=(32, 16))
    assert fixed.difference < 1e-4


def test_the_window_of_nafnet_is_exported(tmp_path):
    """Its test-time window (TLC) holds at sizes beyond the checked ones, where it matters."""
    torch.manual_seed(0)
    options = {"width": 4, "encoders": [1], "decoders": [1], "tlc_window": 48}
    windowed = discover().build("deblurrer", "nafnet", options)
    for parameter in windowed.parameters():
        nn.init.normal_(parameter, std=0.45)
    plain = discover().build("deblurrer", "nafnet", {**options, "tlc_window": None})
    plain.load_state_dict(windowed.state_dict())
    network, image = Whole(None, windowed).eval(), torch.rand(1, 3, 304, 208)
    export_onnx(network, tmp_path / "net.onnx", SizeRule(multiple_of=16))
    with torch.inference_mode():
        expected = network(image).numpy()
        without = Whole(None, plain).eval()(image).numpy()
    found = outputs(tmp_path / "net.onnx", image)
    assert np.abs(found - expected).max() < 1e-4
    assert np.abs(without - expected).max() > 0.05


def test_a_translator_gives_its_finest_level(tmp_path):
    """Of MIMO-UNet's pyramid the picture comes out; random weights make it do something."""
    torch.manual_seed(0)
    built = discover().build("translator", "mimo-unet", {"blocks": 1})
    for parameter in built.parameters():
        nn.init.normal_(parameter, std=0.05)
    checked = export_onnx(Whole(built, None).eval(), tmp_path / "x.onnx", SizeRule(multiple_of=4))
    assert checked.difference < 1e-4
    image = torch.rand(1, 3, 36, 20)
    assert not np.allclose(outputs(tmp_path / "x.onnx", image), image, atol=1e-3)


def test_the_command_exports_a_deblurrer_by_name(tmp_path, capsys):
    """Published weights become a file; it is not replaced unless asked for."""
    file = tmp_path / "unet.onnx"
    assert run(["export", "unet.starter", "-o", str(file)]) == 0
    said = capsys.readouterr().out
    assert "largest difference from PyTorch" in said
    assert "multiples of 8" in said
    assert run(["export", "unet.starter", "-o", str(file)]) == 2
    assert "add --overwrite" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--size", "1280"], "not like 1280x720"),
        (["--part", "translator"], "it has no translator"),
        (["--size", "1281x720"], "no pictures of 1281x720; 1288x720"),
    ],
)
def test_wrong_use_of_the_command_is_one_line(tmp_path, capsys, arguments, said):
    """Exit code 2, nothing written."""
    code = run(["export", "unet.starter", "-o", str(tmp_path / "x.onnx"), *arguments])
    assert code == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_profile_is_exported_whole(tmp_path, capsys):
    """Translator and deblurrer of a profile become one network, its parts can be had alone."""
    from b2b_core.profile import CameraProfile, ProfilePart, save_profile

    catalogue = discover()
    part = {"component": "unet", "distribution": "b2b-plugin-unet", "version": "0"}
    torch.manual_seed(0)
    translator, deblurrer = (catalogue.build(k, "unet") for k in ("translator", "deblurrer"))
    for module in (translator, deblurrer):
        for parameter in module.parameters():
            nn.init.normal_(parameter, std=0.03)
    profile = CameraProfile(
        translator=ProfilePart(**part), deblurrer=ProfilePart(**part), published=None,
        domain="starter", scales=(1.0,), strategy="reblur", created="2026-01-01T00:00:00Z",
    )  # fmt: skip
    path = tmp_path / "profile.safetensors"
    save_profile(path, profile, translator=translator, deblurrer=deblurrer)
    image = torch.rand(1, 3, 24, 32)
    with torch.inference_mode():
        known = translator.eval()(image)[-1]
        expected = {"all": deblurrer.eval()(known), "translator": known}
    for what, wanted in expected.items():
        file = tmp_path / f"{what}.onnx"
        assert run(["export", str(path), "-o", str(file), "--part", what]) == 0
        assert np.abs(outputs(file, image) - wanted.clamp(0, 1).numpy()).max() < 1e-4
    capsys.readouterr()


def test_network_files_are_exported_too(tmp_path):
    """A network file of the user's own is taken as `b2b deblur` takes it."""
    torch.manual_seed(0)
    module = discover().build("deblurrer", "unet")
    path = tmp_path / "own.safetensors"
    save_network(
        path, module, kind="deblurrer", component="unet", options={}, facts={},
        distribution="b2b-plugin-unet", version="0",
    )  # fmt: skip
    assert run(["export", str(path), "-o", str(tmp_path / "own.onnx")]) == 0
