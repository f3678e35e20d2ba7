"""`b2b weights import`, and published files given to the commands that take weights."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from b2b_core.catalogue import discover
from b2b_core.cli import run
from b2b_core.images.read import read_picture
from b2b_core.images.tensors import to_pixels, to_tensor
from b2b_core.images.write import write_picture
from b2b_core.networks import read_network_header

#: Small networks, or for the most important one the published size.
DEBLURRERS = {
    "nafnet-gopro-32": ("nafnet", {"width": 32, "encoders": [1, 1, 1, 28]}, 17_111_907),
    "nafnet": ("nafnet", {"width": 4, "encoders": [1, 1], "decoders": [1, 1]}, None),
    "restormer": ("restormer", {"dim": 8, "blocks": [1, 1, 1, 1], "heads": [1, 2, 4, 8]}, None),
    "mimo-unet": ("mimo-unet", {"width": 8, "blocks": 1}, None),
    "mimo-unet-plus": ("mimo-unet", {"width": 8, "plus": True}, None),
    "unet": ("unet", {"width": 4, "levels": 2, "blocks": 1}, None),
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Work in an empty folder, with an empty cache and no preferences."""
    monkeypatch.setenv("B2B_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("B2B_CONFIG", str(tmp_path / "config"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    torch.manual_seed(0)
    return tmp_path / "here"


def published(path, name="nafnet", wrapper="params"):
    """Write a published file of a network with small random weights; return the network."""
    component, options, _ = DEBLURRERS[name]
    network = discover().build("deblurrer", component, options).eval()
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, 0.0, 0.05)
    torch.save({wrapper: network.state_dict()}, path)
    return network


def picture(path):
    """Write a picture whose sides every network takes."""
    write_picture(path, np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8))
    return to_tensor(read_picture(path).pixels)


def own_output(network, image):
    """Return what the network itself makes of the picture, as pixels."""
    with torch.inference_mode():
        return to_pixels(network(image[None])[0].clamp(0, 1), np.dtype(np.uint8))


def equal_but_for_rounding(restored, expected):
    """Return whether pixels agree; b2b's memory layout sums in another order on some CPUs.

    So a value that lies next to a half may be rounded the other way, here and there.
    """
    apart = np.abs(restored.astype(np.int16) - expected.astype(np.int16))
    return bool(apart.max() <= 1 and np.mean(apart > 0) < 2e-3)


def deblur(weights, out):
    """Run `b2b deblur` on the picture and return the exit code."""
    options = ["--device", "cpu", "--precision", "float32"]
    return run(["deblur", str(weights), "p.png", "-o", str(out), *options])


@pytest.mark.parametrize("name", DEBLURRERS)
def test_an_imported_file_deblurs_as_the_network_itself(capsys, name):
    """From the published file to a deblurred picture: the pixels are the network's own."""
    network = published(Path("weights.pth"), name)
    expected = own_output(network, picture(Path("p.png")))
    assert run(["weights", "import", "weights.pth"]) == 0
    said = capsys.readouterr().out
    parameters = sum(value.numel() for value in network.state_dict().values())
    assert f"parameters: {parameters:,} in {len(network.state_dict())} tensors" in said
    assert DEBLURRERS[name][2] in (None, parameters)
    assert deblur("weights.safetensors", "out") == 0
    restored = read_picture(Path("out/p.png")).pixels
    assert equal_but_for_rounding(restored, expected)
    assert not np.array_equal(restored, read_picture(Path("p.png")).pixels)


def test_a_published_file_is_taken_directly(tmp_path):
    """`b2b deblur FILE.pth` needs no import before; the second time the cache is read."""
    expected = own_output(published(Path("w.pth")), picture(Path("p.png")))
    assert deblur("w.pth", "out") == 0
    assert equal_but_for_rounding(read_picture(Path("out/p.png")).pixels, expected)
    (made,) = (tmp_path / "cache" / "imported").iterdir()
    before = made.stat().st_mtime_ns
    assert deblur("w.pth", "again") == 0
    assert made.stat().st_mtime_ns == before
    assert equal_but_for_rounding(read_picture(Path("again/p.png")).pixels, expected)


def test_weights_kept_under_a_name(capsys):
    """With --as, the name stands for the weights wherever weights are taken."""
    expected = own_output(published(Path("w.pth")), picture(Path("p.png")))
    assert run(["weights", "import", "w.pth", "--as", "nafnet.mine"]) == 0
    assert "b2b adapt ... --deblurrer nafnet.mine" in capsys.readouterr().out
    assert not Path("w.safetensors").exists()
    assert deblur("nafnet.mine", "out") == 0
    assert equal_but_for_rounding(read_picture(Path("out/p.png")).pixels, expected)
    assert run(["weights", "import", "w.pth", "--as", "nafnet.mine"]) == 2
    assert "exists" in capsys.readouterr().err
    assert run(["weights", "import", "w.pth", "--as", "nafnet.mine", "--force", "-o", "b.st"]) == 0
    assert read_network_header(Path("b.st")).component == "nafnet"


def test_what_the_command_says(capsys):
    """File, network, options, licence and remarks are printed; nothing is left to guess."""
    published(Path("w.pth"), wrapper="model")
    assert run(["weights", "import", "w.pth", "--kind", "translator", "-o", "g.safetensors"]) == 0
    said = capsys.readouterr().out
    for words in (
        "file: w.pth (torch, sha256 ",
        "network: nafnet of b2b-plugin-nafnet, layout nafnet",
        "kind: translator (--kind deblurrer makes another of it)",
        "width=4, middle=1, encoders=[1, 1]",
        "licence: unknown; see where you got it (published weights of nafnet: MIT)",
        "written: g.safetensors",
    ):
        assert words in said
    assert read_network_header(Path("g.safetensors")).kind == "translator"


def test_options_by_name():
    """--set reaches the network file; a misspelt option is refused."""
    published(Path("w.pth"))
    assert run(["weights", "import", "w.pth", "--set", "tlc_window=384"]) == 0
    assert read_network_header(Path("w.safetensors")).options["tlc_window"] == 384
    assert run(["weights", "import", "w.pth", "--set", "tlc=384", "--force"]) == 2


def test_nothing_is_replaced_unawares(capsys):
    """An existing output needs --force; the file itself is never the output."""
    published(Path("w.pth"))
    Path("w.safetensors").write_text("mine")
    assert run(["weights", "import", "w.pth"]) == 2
    assert "use --force" in capsys.readouterr().err
    assert Path("w.safetensors").read_text() == "mine"
    assert run(["weights", "import", "w.pth", "--force"]) == 0
    assert read_network_header(Path("w.safetensors")).facts["source"] == "w.pth"
    before = Path("w.pth").read_bytes()
    assert run(["weights", "import", "w.pth", "--force", "-o", "w.pth"]) == 2
    assert "would replace the file itself" in capsys.readouterr().err
    assert Path("w.pth").read_bytes() == before


def test_refusals_are_one_line(capsys, folder):
    """A bomb, a wrong network and a missing file: exit code 2, one line, nothing written."""

    class Bomb:
        def __reduce__(self):
            return os.system, (f"touch {folder / 'sentinel'}",)

    torch.save({"params": Bomb()}, "bomb.pth")
    torch.save({"x.weight": torch.ones(1)}, "unknown.pth")
    for file in ("bomb.pth", "unknown.pth", "none.pth"):
        for command in (["weights", "import", file], ["deblur", file, "bomb.pth", "-o", "out"]):
            assert run(command) == 2
            error = capsys.readouterr().err
            assert error.startswith("b2b: ")
            assert len(error.strip().splitlines()) == 1
    assert {path.name for path in folder.iterdir()} == {"bomb.pth", "unknown.pth"}


def test_the_command_is_listed(capsys):
    """`b2b weights --help` names it."""
    assert run(["weights", "--help"]) == 0
    assert "import" in capsys.readouterr().out
