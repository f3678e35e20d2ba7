"""The adversarial strategy on networks of a few weights."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from b2b_core.catalogue import discover
from b2b_core.config import structure
from b2b_core.contracts import BlurCode
from b2b_core.data.pairs import LoadedPair, PairSet
from b2b_core.data.pictures import PictureSet, TrainingPicture
from b2b_core.training.job import Job, Part
from b2b_core.training.precision import Numerics
from b2b_core.training.presets import with_preset
from b2b_core.training.run import Run
from b2b_core.training.stage import run_stage
from b2b_plugin_adversarial import b2b_strategies
from b2b_plugin_adversarial.config import AdversarialConfig, KnownConfig, PenaltyConfig
from b2b_plugin_adversarial.heldout import HeldOut
from b2b_plugin_adversarial.stage import AdversarialStage

SIDE, CROP = 48, 32
CATALOGUE = discover()
(SPEC,) = b2b_strategies()


class Translator(nn.Module):
    """Two scales; starts as the identity."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1)
        nn.init.zeros_(self.conv.weight)
        nn.init.zeros_(self.conv.bias)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return 1/2 and 1."""
        full = image + self.conv(image)
        return [F.avg_pool2d(full, 2), full]


class Discriminator(nn.Module):
    """One hidden layer, shared by the levels."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, 8, 3), nn.LeakyReLU(0.2), nn.Conv2d(8, 1, 3))
        self.seen: list[list[tuple[int, ...]]] = []

    def forward(self, pyramid: list[Tensor]) -> list[Tensor]:
        """Return a map of logits per level."""
        self.seen.append([tuple(level.shape[-2:]) for level in pyramid])
        return [self.layers(level) for level in pyramid]


class Extractor(nn.Module):
    """Its code is how much darker the blurry picture of a pair is; it darkens."""

    def extract(self, sharp: Tensor, blurry: Tensor) -> BlurCode:
        """Return one number per pair."""
        return BlurCode((sharp - blurry).mean((1, 2, 3), keepdim=True))

    def reblur(self, sharp: Tensor, code: Tensor) -> Tensor:
        """Darken by the code."""
        return sharp - code


class Features(nn.Module):
    """Horizontal and vertical differences."""

    def forward(self, image: Tensor) -> list[Tensor]:
        """Return two maps."""
        return [image[..., 1:] - image[..., :-1], image[..., 1:, :] - image[..., :-1, :]]


TOYS = {
    "translator": ("unet", Translator),
    "discriminator": ("patchgan", Discriminator),
    "kernel-extractor": ("kernel-space", Extractor),
    "feature-extractor": ("filter-bank", Features),
}


def build(kind: str) -> Part:
    """Return a toy whose first weights are always the same."""
    name, kind_of_toy = TOYS[kind]
    with torch.random.fork_rng():
        torch.manual_seed(3)
        return Part(kind, name, {}, kind_of_toy())


def pictures(role: str, count: int, seed: int) -> PictureSet:
    """Return random textured pictures."""
    rng = torch.Generator().manual_seed(seed)
    coarse = torch.rand(count, 3, SIDE // 8, SIDE // 8, generator=rng)
    smooth = F.interpolate(coarse, size=(SIDE, SIDE), mode="bilinear") * 200 + 20
    return PictureSet(
        [
            TrainingPicture(Path(f"{n}.png"), str(n), picture.round().to(torch.uint8))
            for n, picture in enumerate(smooth)
        ],
        role,
    )


def pairs() -> PairSet:
    """Return pairs, the blurry picture 10 levels darker."""
    return PairSet(
        [LoadedPair(p.pixels - 10, p.pixels, p.scene) for p in pictures("sharp", 3, 9)], "toy"
    )


def job(folder: Path, **run: object) -> Job:
    """Return a job of toys in `folder`."""
    return Job(
        blurry=pictures("blurry", 5, 0),
        sharp=pictures("sharp", 4, 1),
        held_blurry=pictures("blurry", 2, 2),
        held_sharp=pictures("sharp", 2, 3),
        domain="toy",
        pairs=pairs(),
        crop=CROP,
        deblurrer=Part("deblurrer", "unet", {}, nn.Identity()),
        build=build,
        run=Run(folder, 7, Numerics("cpu", "float32"), CATALOGUE, **run),  # type: ignore[arg-type]
        **{name: None for name in ("deblurrer_file", "multiple", "size") if has(name)},
    )


def has(name: str) -> bool:
    """Tell whether a job has this further field."""
    return name in {a.name for a in Job.__attrs_attrs__}  # type: ignore[attr-defined]


#: The paper's game with every term of the objective.
ALL_TERMS = {
    "compare": "translated", "scales": [], "lambda_rec": 0.8, "identity_weight": 0.5,
    "colour_weight": 2.0, "known": {"source": "extractor"},
}  # fmt: skip


def config(**options: object) -> AdversarialConfig:
    """Return options for three quick steps of all parts of the objective."""
    quick = {"steps": 3, "batch": 2, "d_warmup": 1, "lr": 1e-2, "penalty": {"every": 2}}
    return structure(AdversarialConfig, quick | ALL_TERMS | options)


def weights(stage: AdversarialStage) -> dict[str, Tensor]:
    """Return all tensors of a stage by name."""
    parts = {"G": stage.translator, "mean": stage.ema.shadow, "D": stage.discriminator}
    return {f"{k}.{n}": t.clone() for k, m in parts.items() for n, t in m.state_dict().items()}


@pytest.mark.parametrize("preset", [None, "paper", "official", "b2b"])
def test_three_steps_of_every_preset(tmp_path: Path, preset: str | None) -> None:
    """Each preset runs, trains both networks and returns the averaged translator."""
    quick: dict[str, object] = {"steps": 3, "batch": 2, "d_warmup": 1}
    quick["known"] = {"source": "extractor"}
    options = with_preset(SPEC, quick | ({"preset": preset} if preset else {}))
    strategy = SPEC.factory(structure(AdversarialConfig, options))
    before = build("translator").module.state_dict()
    outcome = strategy.adapt(job(tmp_path))
    assert outcome.translator is not None
    assert outcome.deblurrer is None
    assert (outcome.translator.kind, outcome.translator.component) == ("translator", "unet")
    after = outcome.translator.module.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert [candidate.name for candidate in outcome.candidates] == ["deblurrer alone", "translator"]
    assert outcome.chosen == "translator"
    assert set(outcome.alternatives) == {"deblurrer alone", "translator"}
    assert {"sharper", "known_psnr", "colour_drift"} <= set(outcome.summary["validation"])


@pytest.mark.parametrize(("sharper", "warned"), [(-0.05, True), (-0.0004, False), (0.05, False)])
def test_blurrier_pictures_are_named(tmp_path: Path, monkeypatch, sharper: float, warned: bool):
    """A difference that three digits show is a warning; a smaller one is none."""
    measure = HeldOut.measure

    def measured(*args: object, **options: object) -> dict[str, float]:
        return {**measure(*args, **options), "sharper": sharper}  # type: ignore[arg-type]

    monkeypatch.setattr(HeldOut, "measure", measured)
    toys = job(tmp_path)
    SPEC.factory(config()).adapt(toys)
    assert any("come out blurrier" in said for said in toys.run.warnings) is warned


def test_killed_run_goes_on_as_if_nothing_happened(tmp_path: Path) -> None:
    """A run killed after two steps and resumed equals a straight one bit for bit."""

    class KilledError(Exception):
        pass

    def at_step_two(number: int) -> dict[str, float]:
        if number == 2:
            raise KilledError
        return AdversarialStage.step(stage, number)

    straight = AdversarialStage(job(tmp_path / "straight"), config(steps=5))
    run_stage(straight, straight.run)

    stage = AdversarialStage(job(tmp_path / "killed", checkpoint_seconds=0.0), config(steps=5))
    stage.step = at_step_two  # type: ignore[method-assign]
    with pytest.raises(KilledError):
        run_stage(stage, stage.run)
    resumed = AdversarialStage(job(tmp_path / "killed"), config(steps=5))
    run_stage(resumed, resumed.run)

    expected, found = weights(straight), weights(resumed)
    assert all(torch.equal(expected[name], found[name]) for name in expected)
    assert resumed.watch.state_dict() == straight.watch.state_dict()
    assert not torch.equal(expected["G.conv.weight"], torch.zeros_like(expected["G.conv.weight"]))


def test_only_d_learns_while_it_warms_up(tmp_path: Path) -> None:
    """In the warm-up G stays what it was and D does not."""
    stage = AdversarialStage(job(tmp_path), config(d_warmup=3))
    before = weights(stage)
    for number in range(3):
        torch.manual_seed(number)
        stage.step(number)
    after = weights(stage)
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert all(name.startswith("D.") for name in changed)


def test_d_and_the_extractor_get_no_gradient_of_g(tmp_path: Path) -> None:
    """G's step leaves no gradient in D, and nothing ever reaches the frozen extractor."""
    stage = AdversarialStage(job(tmp_path), config(d_warmup=0, penalty={"weight": 0.0}))
    stage.step(0)
    after_d = [p.grad.clone() for p in stage.discriminator.parameters()]
    real, fake = _pyramids(stage)
    for parameter in stage.discriminator.parameters():
        parameter.grad = None
    shown = stage._shown(real[-1], real[-1], fake)
    stage._train_translator(shown)
    assert len(after_d) == 4
    assert all(parameter.grad is None for parameter in stage.discriminator.parameters())


def _pyramids(stage: AdversarialStage) -> tuple[list[Tensor], list[Tensor]]:
    image = torch.rand(2, 3, CROP, CROP)
    return [F.avg_pool2d(image, 2), image], stage.translator(image)


def test_learning_rates_are_constant_then_fall_to_zero(tmp_path: Path) -> None:
    """Constant for the given share of the steps, then linear."""
    stage = AdversarialStage(job(tmp_path), config(steps=8, constant=0.5, lr=1.0))
    rates = []
    for number in range(8):
        stage._set_rates(number)
        rates.append(stage.optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([1, 1, 1, 1, 1, 0.75, 0.5, 0.25])


def test_d_compares_levels_of_equal_sizes(tmp_path: Path) -> None:
    """D sees G's scales by default, and any that are asked for."""
    for scales, expected in (((), [16, 32]), ((0.25, 1.0), [8, 32])):
        stage = AdversarialStage(job(tmp_path), config(scales=list(scales)))
        stage.step(0)
        seen = stage.discriminator.seen  # type: ignore[union-attr]
        assert {tuple(levels) for levels in seen} == {tuple((s, s) for s in expected)}


@pytest.mark.parametrize("where", ["blurry-translated", "known-translated", "real"])
@pytest.mark.parametrize("levels", ["all", "full"])
def test_penalty_of_a_linear_d(tmp_path: Path, where: str, levels: str) -> None:
    """For D(x) = sum of (w * x) the slope is known: every form gives the value by hand."""
    penalty = PenaltyConfig(1.0, where, 1.0, "sum", levels, 1)  # type: ignore[arg-type]
    stage = AdversarialStage(job(tmp_path), config(penalty=penalty))
    conv = nn.Conv2d(3, 1, 1, bias=False)
    stage.objective._discriminator = lambda pyramid: [conv(level) for level in pyramid]
    real, fake = _pyramids(stage)
    found = stage.objective.penalty(real, real, fake)
    # d(sum of logits)/dx is w at every pixel: its norm is |w| times the root of their number.
    norms = [float(conv.weight.detach().norm()) * side for side in (16, 32)]
    terms = [(norm - 1) ** 2 for norm in norms]
    expected = terms[1] if levels == "full" else sum(terms) / 2
    assert found.item() == pytest.approx(expected, rel=1e-4)
    found.backward()
    assert conv.weight.grad is not None


def test_reconstruction_is_the_papers_mean_over_levels(tmp_path: Path) -> None:
    """Eq. 5: per level the mean absolute difference of features, averaged over levels."""
    stage = AdversarialStage(job(tmp_path), config())
    one = [torch.rand(2, 3, 8, 8), torch.rand(2, 3, 16, 16)]
    other = [torch.rand(2, 3, 8, 8), torch.rand(2, 3, 16, 16)]
    features = Features()
    expected = sum(
        float((a - b).abs().mean())
        for x, y in zip(one, other, strict=True)
        for a, b in zip(features(x), features(y), strict=True)
    )
    assert stage.objective.reconstruction(one, other).item() == pytest.approx(expected / 2)


def test_no_features_are_built_without_their_weight(tmp_path: Path) -> None:
    """With lambda_rec 0 a strategy without feature extractor works."""
    asked: list[str] = []

    def recording(kind: str) -> Part:
        asked.append(kind)
        return build(kind)

    plain = job(tmp_path)
    object.__setattr__(plain, "build", recording)
    AdversarialStage(plain, config(lambda_rec=0.0)).step(0)
    assert "feature-extractor" not in asked
    assert "discriminator" in asked


def test_k_gets_the_noise_that_blurring_took(tmp_path: Path) -> None:
    """Noise is measured on B and on K, and the difference is added to K."""
    noisy = job(tmp_path)
    rng = torch.Generator().manual_seed(0)
    for picture in noisy.blurry:
        grain = torch.randn(picture.pixels.shape, generator=rng) * 5
        picture.pixels.copy_((picture.pixels.float() + grain).clamp(0, 255).round())
    found = AdversarialStage(noisy, config()).noise
    assert found == pytest.approx(5 / 255, rel=0.3)
    known = KnownConfig(source="extractor", noise=False)
    assert AdversarialStage(noisy, config(known=known)).noise == 0


def test_measured_kernels_need_no_extractor(tmp_path: Path) -> None:
    """With kernels measured on the pairs, a strategy without kernel extractor works."""
    asked: list[str] = []

    def recording(kind: str) -> Part:
        asked.append(kind)
        return build(kind)

    plain = job(tmp_path)
    rng = torch.Generator().manual_seed(0)
    sharp = torch.randint(40, 220, (3, 80, 80), generator=rng).to(torch.uint8)
    object.__setattr__(plain, "build", recording)
    object.__setattr__(plain, "pairs", PairSet([LoadedPair(sharp.roll(1, -1), sharp, "a")], "toy"))
    known = KnownConfig(kernel=5, kernels=2)
    AdversarialStage(plain, config(known=known)).step(0)
    assert "kernel-extractor" not in asked


def test_a_curriculum_of_batches_feeds_d_as_much_of_both(tmp_path: Path) -> None:
    """While half of a batch is learned from, K has as many pictures as y."""
    curriculum = {"of": "batch", "start": 0.5, "hold": 2}
    stage = AdversarialStage(job(tmp_path), config(batch=4, curriculum=curriculum))
    sizes = [[len(crops) for crops in stage.supply.batch(step)] for step in (0, 1, 2)]
    assert sizes == [[2, 2], [2, 2], [4, 4]]


@pytest.mark.parametrize(("weights", "warned"), [(None, True), ("vgg19.pth", False)])
def test_features_without_weights_are_named(
    tmp_path: Path, weights: str | None, warned: bool
) -> None:
    """An extractor that could have weights and has none is random, and training says so."""
    plain = job(tmp_path)

    def weighted(kind: str) -> Part:
        part = build(kind)
        options = {"weights": weights} if kind == "feature-extractor" else {}
        return Part(kind, part.component, options, part.module)

    object.__setattr__(plain, "build", weighted)
    AdversarialStage(plain, config())
    assert ["has no weights" in message for message in plain.run.warnings] == [True] * warned


def test_explicit_options_win_over_the_preset() -> None:
    """A preset is laid below what is said, table by table."""
    options = with_preset(SPEC, {"preset": "paper", "batch": 3, "penalty": {"weight": 9.0}})
    made = structure(AdversarialConfig, options)
    assert (made.batch, made.penalty.weight) == (3, 9.0)
    assert (made.steps, made.penalty.where) == (1_000_000, "blurry-translated")
    assert made.gan_options == {"saturating": True}
    assert made.curriculum.of == "batch"


def test_b2b_preset_is_the_default() -> None:
    """Naming the preset b2b, or none, gives the same options."""
    named = structure(AdversarialConfig, with_preset(SPEC, {"preset": "b2b"}))
    assert named == AdversarialConfig()


class Half(nn.Module):
    """A deblurrer that darkens by half."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the picture at half its light."""
        return image / 2


RESTORED = {"compare": "restored", "scales": [0.5], "known": {"source": "extractor"}}


def restoring(folder: Path, **options: object) -> AdversarialStage:
    """Return a stage in which D compares F(G(y)) with S, F being `Half`."""
    made = job(folder)
    object.__setattr__(made, "deblurrer", Part("deblurrer", "unet", {}, Half()))
    return AdversarialStage(made, structure(AdversarialConfig, RESTORED | {"batch": 2} | options))


def test_restored_pictures_are_compared_with_sharp_ones(tmp_path: Path) -> None:
    """D is given F(G(y)) and S at the scale asked for; nothing of K is drawn."""
    stage = restoring(tmp_path, input_noise=0.0)
    seen: list[list[Tensor]] = []
    judge = stage.objective.judge
    stage.objective.judge = lambda levels: (seen.append(list(levels)), judge(levels))[1]  # type: ignore[method-assign,func-returns-value]
    torch.manual_seed(0)
    stage.step(0)
    torch.manual_seed(0)  # of the augmentation
    blurry, sharp = stage.supply.batch(0)
    (real,), (fake,) = seen[:2]
    assert torch.equal(real, F.avg_pool2d(sharp, 2))
    assert torch.allclose(fake, F.avg_pool2d(blurry / 2, 2), atol=1e-6)  # G is the identity yet


def test_the_frozen_deblurrer_passes_gradients_to_g(tmp_path: Path) -> None:
    """G moves by what D says of F(G(y)); F itself learns nothing."""
    stage = restoring(tmp_path, d_warmup=0, lr=1e-2)
    before = weights(stage)
    for number in range(2):
        torch.manual_seed(number)
        stage.step(number)
    after = weights(stage)
    assert not torch.equal(before["G.conv.weight"], after["G.conv.weight"])
    assert all(not p.requires_grad for p in stage.deblurrer.parameters())


def test_the_anchor_weighs_coarse_and_finest_changes(tmp_path: Path) -> None:
    """A shift of 2 % costs 4 coarse; a checkerboard of 3 % 9 fine; 2-pixel stripes nothing fine."""
    stage = restoring(tmp_path, anchor={"coarse": 0.5, "fine": 0.25})
    flat = torch.full((1, 3, 32, 32), 0.5)
    rows, columns = torch.meshgrid(torch.arange(32), torch.arange(32), indexing="ij")
    checkerboard = ((rows + columns) % 2 * 2 - 1) * 0.03
    stripes = (columns // 2 % 2 * 2 - 1) * 0.03
    anchor = stage.objective.anchor
    assert anchor(flat + 0.02, flat).item() == pytest.approx(0.5 * 4, rel=1e-3)
    assert anchor(flat + checkerboard, flat).item() == pytest.approx(0.25 * 9, rel=1e-3)
    assert anchor(flat + stripes, flat).item() == pytest.approx(0, abs=1e-4)
