"""Each registration hook, by the plugin that `docs/plugins/` makes: listed, looked up, built, used.

`tests/test_docs_hooks.py` demands a test `test_hook_<name without b2b_>` for every hook.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import correlate

from b2b_core import contracts
from b2b_core.adaptation.adapt import adapt
from b2b_core.adaptation.settings import read_settings
from b2b_core.catalogue import discover
from b2b_core.cli import run
from b2b_core.demo.run import run_demo
from b2b_core.errors import UsageError
from b2b_core.metrics.measures import measures
from b2b_core.profile import read_profile_header
from b2b_core.specs import HOOK_OF_KIND, SizeRule

DOCS = Path(__file__).parents[1] / "docs" / "plugins"
BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
ACME = "b2b-plugin-acme"


def sections(page):
    """Return heading -> text of its section, for the headings of a page."""
    parts = re.split(r"^#{2,3} (.+)\n", (DOCS / page).read_text(), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def acme_sources():
    """Return the two files of the plugin whose parts the pages show."""
    hooks, kinds = sections("hooks.md"), sections("components.md")
    light, heavy = BLOCK.findall(kinds[""])
    for kind, hook in HOOK_OF_KIND.items():
        _, light_part, heavy_part = BLOCK.findall(kinds[kind.replace("-", " ")])
        light, heavy = f"{light}\n\n{light_part}", f"{heavy}\n\n{heavy_part}"
        light += "\n\n" + BLOCK.findall(hooks[hook])[1]
    return light, heavy


@pytest.fixture
def acme(install, monkeypatch):
    """Install the plugin of the pages; give the catalogue that found it."""
    light, heavy = acme_sources()
    install(ACME, "")
    (install.folder / "b2b_plugin_acme.py").unlink()
    package = install.folder / "b2b_plugin_acme"
    package.mkdir()
    (package / "__init__.py").write_text(light)
    (package / "parts.py").write_text(heavy)
    yield discover()
    for module in ("b2b_plugin_acme.parts", "b2b_plugin_acme"):
        monkeypatch.delitem("sys.modules", module, raising=False)


def built(catalogue, kind, name, options=None):
    """Return the component and its spec, after asserting that the plugin is listed with it."""
    (plugin,) = (p for p in catalogue.plugins if p.distribution == ACME)
    assert plugin.works, plugin.cause
    assert plugin.components[kind] == (name,)
    assert catalogue.owner(kind, name) == plugin
    spec = catalogue.spec(kind, name)
    assert spec in catalogue.specs(kind)
    product = catalogue.build(kind, name, options or {})
    assert isinstance(product, getattr(contracts, type(spec).__name__.removesuffix("Spec")))
    return product, spec


def picture(path, seed, size=(72, 64)):
    """Save a picture that is coarse noise."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize(size, Image.Resampling.BICUBIC).save(path)


def camera(folder):
    """Make the unpaired pictures and the test pairs of a camera; return their folder."""
    for index in range(3):
        picture(folder / "blurry" / f"b{index}.png", index)
        picture(folder / "sharp" / f"s{index}.png", index + 10)
        for side in ("blurry", "sharp"):
            picture(folder / "test" / side / f"t{index}.png", index + 20)
    return folder


def test_hook_strategies(acme, tmp_path):
    """A plugin's strategy runs an adaptation from folders to a profile that names it."""
    built(acme, "strategy", "as-it-is")
    folder = camera(tmp_path / "camera")
    data = {"blurry": str(folder / "blurry"), "sharp": str(folder / "sharp"), "crop": 32}
    made = adapt(
        read_settings({"data": data, "strategy": "as-it-is", "run": {"device": "cpu"}}),
        tmp_path / "run",
        acme,
    )
    header = read_profile_header(made.profile)
    assert (header.strategy, header.translator) == ("as-it-is", None)
    assert header.published.name == "unet.starter"
    assert header.training["chosen"] == "deblurrer alone"


def test_hook_domains(acme, tmp_path):
    """A plugin's domain finds its pairs in order, with its options, and says what is missing."""
    domain, spec = built(acme, "domain", "folders")
    assert spec.layout.startswith("ROOT/")
    assert domain.default_root() is None
    for name in ("b", "a"):
        picture(tmp_path / "train" / "blurry" / f"{name}.png", 0)
        picture(tmp_path / "train" / "sharp" / f"{name}.png", 0)
    found = domain.pairs(tmp_path, "train")
    assert [(p.blurry.name, p.sharp.parent.name, p.scene) for p in found] == [
        ("a.png", "sharp", "a"),
        ("b.png", "sharp", "b"),
    ]
    with pytest.raises(UsageError, match="no pictures"):
        acme.build("domain", "folders", {"suffix": ".jpg"}).pairs(tmp_path, "train")


def test_hook_translators(acme):
    """A plugin's translator makes the pyramid that its spec declares, takes options, and learns."""
    network, spec = built(acme, "translator", "shift", {"spread": 0.0})
    image = torch.rand(2, 3, 6, 5)
    (level,) = network(image)
    assert spec.scales == (1.0,)
    assert torch.equal(level, image)
    level.mean().backward()
    assert network.colour.grad is not None


def test_hook_deblurrers(acme):
    """A plugin's deblurrer keeps size and flat pictures, and makes an edge steeper."""
    network, spec = built(acme, "deblurrer", "sharpen")
    assert spec.size == SizeRule(1, 3)
    flat = torch.full((1, 3, 7, 9), 0.4)
    assert torch.allclose(network(flat), flat)
    network.strength.weight.data = torch.eye(3)[:, :, None, None]
    edge = torch.linspace(0, 1, 9).round().expand(1, 3, 7, 9)
    assert network(edge).max() > edge.max()


def test_hook_discriminators(acme):
    """A plugin's discriminator gives one map of logits for each level of a pyramid."""
    network, spec = built(acme, "discriminator", "one-layer")
    pyramid = [torch.rand(2, 3, round(32 * s), round(24 * s)) for s in spec.scales]
    assert [tuple(logits.shape) for logits in network(pyramid)] == [
        (2, 1, 3, 2),
        (2, 1, 7, 5),
        (2, 1, 15, 11),
    ]


def test_hook_kernel_extractors(acme):
    """A plugin's extractor finds the share of its blur again and applies it to another picture."""
    extractor, _ = built(acme, "kernel-extractor", "one-filter", {"filter": 3})
    sharp, other = torch.rand(2, 3, 9, 8), torch.rand(2, 3, 9, 8)
    share = torch.tensor([0.3, 0.8]).reshape(2, 1, 1, 1)
    with torch.no_grad():
        code = extractor.extract(sharp, extractor.reblur(sharp, share)).sample()
        found = extractor.reblur(other, code)
    assert torch.allclose(code, share, atol=1e-4)
    kernels = extractor.blur.weight[:, 0].detach().numpy()
    for index, amount in enumerate((0.3, 0.8)):
        for channel, kernel in enumerate(kernels):
            before = other[index, channel].numpy()
            expected = (1 - amount) * before + amount * correlate(before, kernel, mode="nearest")
            assert np.allclose(found[index, channel], expected, atol=1e-3)


def test_hook_losses(acme):
    """A plugin's loss takes the tensors that its spec names and returns scalars by name."""
    loss, spec = built(acme, "loss", "power", {"power": 2})
    tensors = {name: torch.rand(2, 3, 4, 4) for name in spec.needs}
    expected = torch.nn.functional.mse_loss(tensors["output"], tensors["target"])
    assert torch.allclose(loss(tensors)["power"], expected)


def test_hook_feature_extractors(acme):
    """A plugin's feature extractor returns the maps that its options ask for."""
    network, spec = built(acme, "feature-extractor", "halves", {"levels": 2})
    assert spec.normalisation == "none"
    shapes = [tuple(part.shape) for part in network(torch.rand(1, 3, 16, 12))]
    assert shapes == [(1, 3, 16, 12), (1, 3, 8, 6), (1, 3, 4, 3)]


def test_hook_metrics(acme):
    """A plugin's metric is measured by name, with its protocol, and only where it can be."""
    metric, _ = built(acme, "metric", "largest-error")
    image, reference = torch.rand(2, 3, 5, 5), torch.rand(2, 3, 5, 5)
    expected = np.abs(image.numpy() - reference.numpy()).reshape(2, -1).max(1)
    assert np.allclose(metric(image, reference).numpy(), expected)
    names = [m.name for m in measures(acme, ["largest-error"], reference=True)]
    assert names[-1] == "largest-error"
    assert names[:-1] == [m.name for m in measures(acme, [], reference=True)]
    assert "largest-error" not in [
        m.name for m in measures(acme, ["largest-error"], reference=False)
    ]


def test_hook_demos(acme, install, tmp_path, monkeypatch):
    """A plugin's demo runs from its pictures to a report with its description."""
    camera(install.folder / "b2b_plugin_acme" / "pictures")
    demo, _ = built(acme, "demo", "acme")
    assert all(place.is_dir() for place in (demo.blurry, demo.test_sharp))
    small = dict(demo.settings(quick=True)) | {"data": {"crop": 32}, "run": {"device": "cpu"}}
    monkeypatch.setattr(demo, "settings", lambda **_: small, raising=False)
    result = run_demo(demo, acme, tmp_path / "run", quick=True)
    assert result.metrics["chosen"] == "deblurrer alone"
    assert result.metrics["pictures"] == 3
    assert demo.description in result.report.read_text()


def test_the_examples_pass_the_conformance_kit(acme, install, monkeypatch, capsys):
    """What the pages show is what `b2b check-plugin` asks for, up to the behaviour of networks."""
    camera(install.folder / "b2b_plugin_acme" / "pictures")
    monkeypatch.setenv("PYTHONPATH", str(install.folder))
    (install.folder / "b2b_plugin_acme" / "py.typed").touch()
    assert acme.owner("loss", "power").works
    code = run(["check-plugin", ACME, "--level", "2", "--json"])
    (report,) = json.loads(capsys.readouterr().out)["plugins"]
    missed = [check for check in report["checks"] if check["status"] != "passed"]
    # the domain of the page ships without pictures
    assert {(check["status"], check["kind"]) for check in missed} == {("skipped", "domain")}
    assert {check["kind"] for check in report["checks"]} == {"plugin", *HOOK_OF_KIND}
    assert code == 0
