"""Level 2 of the kit on losses, metrics, domains and demos: one fault, one failure."""

from __future__ import annotations

import itertools
import shutil
from types import SimpleNamespace

import pytest
import torch
from attrs import evolve
from PIL import Image
from torch.nn import functional as F

from b2b_core.contracts import Pair, UpperBound
from b2b_core.errors import UsageError
from b2b_core.metrics import psnr
from b2b_core.specs import DemoSpec, DomainSpec, LossSpec, MetricSpec
from tests.level_two import COMMON, made, only

# losses


def difference(tensors):
    """Return a good term."""
    return {"difference": (tensors["output"] - tensors["target"]).square().mean()}


def game(tensors):
    """Return the terms of an adversarial loss."""
    terms = {"generator": F.softplus(-tensors["fake"]).mean()}
    if "real" in tensors:
        terms["discriminator"] = F.softplus(-tensors["real"]).mean() - terms["generator"]
    return terms


def loss(function, needs=("output", "target"), **facts):
    """Return the spec of a loss."""
    return LossSpec(**COMMON, factory=lambda _: function, needs=needs, **facts)


TERMS = [
    (lambda t: {"a": (t["output"] - t["source"]).mean()}, "KeyError: 'source'", "`needs` alone"),
    (lambda t: {"a": (t["output"] - t["target"]).square().mean((1, 2, 3))}, "shape (2,)", "mean"),
    (lambda t: {"a": difference(t)["difference"] / 0}, "is inf", "guard"),
    (lambda t: difference(t)["difference"], "Tensor, not a dictionary", "{'name': scalar"),
    (lambda _: {"a": 0.5}, "'a' is float, not a tensor", "{'name': scalar"),
]
SLOPES = [
    (lambda t: {"a": difference(t)["difference"].detach()}, "no gradient comes", "detach"),
    (lambda t: {"a": (t["output"] - t["output"]).sum()}, "is zero everywhere", "detach"),
    (lambda t: {"a": (t["output"] - t["output"]).abs().sum().sqrt()}, "NaN or inf", "guard roots"),
]
GAMES = [
    (lambda t: {"discriminator": game(t)["generator"]}, "no 'generator'", "given 'fake'"),
    (lambda t: {"generator": game(t)["generator"]}, "no 'discriminator'", "given 'real'"),
]


def test_good_losses_pass():
    """Of differences, of a game, and of a slope, which needs inputs and what came of them."""

    def slope(tensors):
        (found,) = torch.autograd.grad(
            tensors["logits"].sum(), tensors["inputs"], create_graph=True
        )
        return {"penalty": found.square().mean()}

    for spec in (
        loss(difference),
        loss(game, ("fake",), role="adversarial"),
        loss(slope, ("inputs", "logits"), role="penalty"),
    ):
        assert {result.status for result in made(spec).values()} == {"passed"}


@pytest.mark.parametrize(("function", "what", "mend"), TERMS)
def test_terms_of_a_loss_are_checked(function, what, mend):
    """They are finite scalars that come from what `needs` names."""
    found = made(loss(function))
    assert what in found["loss-terms"].what
    assert mend in found["loss-terms"].mend
    # a term that cannot be computed has no slope either
    assert {name for name, result in found.items() if result.bad} <= {
        "loss-terms",
        "loss-gradients",
    }


def test_a_term_that_is_no_scalar_fails_one_check():
    """A shape is wrong, and everything else is right."""
    only(loss(lambda t: {"a": difference(t)["difference"][None]}), "loss-terms", "(1,)", "mean")


@pytest.mark.parametrize(("function", "what", "mend"), SLOPES)
def test_slopes_of_a_loss_are_checked(function, what, mend):
    """Every term can be learned from."""
    only(loss(function), "loss-gradients", what, mend)


@pytest.mark.parametrize(("function", "what", "mend"), GAMES)
def test_the_game_of_a_loss_is_checked(function, what, mend):
    """An adversarial loss has the terms that strategies ask for; other losses need not."""
    spec = loss(function, ("fake",), role="adversarial")
    only(spec, "adversarial-terms", what, mend)
    assert "adversarial-terms" not in made(evolve(spec, role="penalty"))


def test_a_game_that_always_needs_both_sides_is_refused():
    """G is trained on `fake` alone: a loss that asks for more cannot be chosen by a strategy."""

    def greedy(tensors):
        return {"discriminator": tensors["real"].mean(), "generator": tensors["fake"].mean()}

    spec = loss(greedy, ("fake", "real"), role="adversarial")
    only(spec, "adversarial-terms", "given fake it asks for 'real'", "given 'fake'")


# metrics


def metric(function, **facts):
    """Return the spec of a metric."""
    facts = {"protocol": "rgb", "higher_is_better": True, **facts}
    return MetricSpec(**COMMON, factory=lambda _: function, **facts)


def sharpness(image, _reference=None):
    """Return the mean gradient: falls with blur."""
    return (image[..., 1:] - image[..., :-1]).abs().mean((1, 2, 3))


def test_good_metrics_pass():
    """With and without reference, in both directions."""
    for spec in (
        metric(psnr),
        metric(lambda a, b: -psnr(a, b), higher_is_better=False),
        metric(sharpness, needs_reference=False),
    ):
        found = made(spec)
        assert {result.status for result in found.values()} == {"passed"}
        assert ("best-when-identical" in found) == spec.needs_reference


METRICS = [
    ("scores-per-picture", lambda a, b: psnr(a, b) / (len(a) % 2), "scores of ord", "no other"),
    ("scores-per-picture", lambda a, b: psnr(a, b) - len(a), "depends on the batch", "no other"),
    ("direction", lambda a, b: (psnr(a, b) - 25).abs(), "under growing noise", "the sign"),
    ("best-when-identical", lambda a, b: psnr(a, b).nan_to_num(posinf=0), "scores 0", "reference"),
]


@pytest.mark.parametrize(("check", "function", "what", "mend"), METRICS)
def test_scores_of_a_metric_are_checked(check, function, what, mend):
    """A score depends on its own picture, gets worse with it, and is best for the reference."""
    only(metric(function), check, what, mend)


def test_the_shape_of_scores_is_checked():
    """One number for a batch is not one per picture."""
    shape = made(metric(lambda a, b: psnr(a, b).mean()))["scores-per-picture"]
    assert "give (), not (2,)" in shape.what


def test_metrics_without_reference_are_shown_blur():
    """Noise would look sharp to them."""
    spec = metric(sharpness, needs_reference=False, higher_is_better=False)
    only(spec, "direction", "under growing blur", "higher_is_better")


# domains


class Tree:
    """A good domain with pictures of its own."""

    def __init__(self, root):
        self.root = root

    def default_root(self):
        return self.root

    def pairs(self, root, split):
        if not (root / "blurry").is_dir():
            raise UsageError("the folder 'blurry' is missing", where=root)
        found = sorted((root / "blurry").glob("*.png"))
        chosen = found[:2] if split == "test" else found[2:]
        return [Pair(path, root / "sharp" / path.name, path.stem) for path in chosen]


@pytest.fixture
def tree(tmp_path):
    """Return a folder of four pairs."""
    for side in ("blurry", "sharp"):
        (tmp_path / side).mkdir()
        for index in range(4):
            Image.new("RGB", (12, 8)).save(tmp_path / side / f"{index}.png")
    return tmp_path


def domain(root, **methods):
    """Return the spec of a domain, some of its methods replaced."""
    made_by = type("Changed", (Tree,), methods)
    return DomainSpec(**COMMON, factory=lambda _: made_by(root), layout="DIR/{blurry,sharp}/N.png")


def test_a_good_domain_passes(tree):
    """A domain that ships pairs passes; one that ships none is skipped with the reason."""
    assert {result.status for result in made(domain(tree)).values()} == {"passed"}
    without = made(domain(None))
    skipped = [name for name, result in without.items() if result.status == "skipped"]
    assert skipped == ["pairs-in-order", "disjoint-scenes", "pairs-fit"]
    assert without["pairs-fit"].reason.startswith("needs data")


def test_the_root_of_a_domain_is_checked(tree):
    """It is a folder that exists, as a Path."""
    only(domain(tree / "nowhere"), "default-root", "which is no folder", "Path(__file__)")
    text = made(domain(str(tree)))
    assert "text, not a Path" in text["default-root"].what


def test_pairs_of_a_domain_are_checked(tree):
    """They are there, always in one order, disjoint in scenes, and fit together."""
    turns = itertools.count()

    def shuffled(self, root, split):
        return Tree.pairs(self, root, split)[:: 1 if next(turns) % 2 else -1]

    def empty(self, root, split):
        return Tree.pairs(self, root, split) if split == "train" else []

    def twice(self, root, split):
        return [*Tree.pairs(self, root, split)] * 2

    def one_scene(self, root, split):
        return [evolve(pair, scene="all") for pair in Tree.pairs(self, root, split)]

    only(domain(tree, pairs=shuffled), "pairs-in-order", "in two orders", "sort")
    only(domain(tree, pairs=empty), "pairs-in-order", "'test' has no pairs", "both splits")
    only(domain(tree, pairs=twice), "pairs-in-order", "there twice", "list each once")
    only(domain(tree, pairs=one_scene), "disjoint-scenes", "such as 'all'", "by scene")
    Image.new("RGB", (12, 9)).save(tree / "sharp" / "0.png")
    only(domain(tree), "pairs-fit", "two sizes, (12, 8) and (12, 9)", "same size")
    (tree / "sharp" / "0.png").unlink()
    assert only(domain(tree), "pairs-fit", "missing", "exist").where.endswith("sharp/0.png")


def test_a_wrong_root_of_a_domain_is_checked(tree):
    """An empty folder is refused by a UsageError that names it."""

    def lenient(self, root, split):
        return Tree.pairs(self, root, split) if (root / "blurry").is_dir() else []

    def crashing(self, root, split):
        if not (root / "blurry").is_dir():
            raise KeyError("blurry")
        return Tree.pairs(self, root, split)

    def mute(self, root, split):
        if not (root / "blurry").is_dir():
            raise UsageError("no")
        return Tree.pairs(self, root, split)

    for pairs, what in (
        (lenient, "0 pairs and no error"),
        (crashing, "KeyError"),
        (mute, "does not name the folder"),
    ):
        only(domain(tree, pairs=pairs), "wrong-root-refused", what, "UsageError")


# demos


def demo(root, **changes):
    """Return the spec of a demo over the folder of `tree`."""
    facts = {
        "description": "a camera",
        "blurry": root / "blurry",
        "sharp": root / "sharp",
        "test_blurry": root / "blurry",
        "test_sharp": root / "sharp",
        "upper_bound": UpperBound(30.0, 0.9, "measured"),
        "settings": lambda *, quick: {"domain": {"name": "starter"}, "run": {"seed": int(quick)}},
        **changes,
    }
    return DemoSpec(**COMMON, factory=lambda _: SimpleNamespace(**facts))


def test_demos_are_checked(tree):
    """Pictures, settings and facts of a demo, each with its own check."""
    assert {result.status for result in made(demo(tree)).values()} == {"passed"}
    only(demo(tree, description=" "), "demo-facts", "what its camera is", "say what")
    bound = UpperBound(float("nan"), 0.9, "measured")
    only(demo(tree, upper_bound=bound), "demo-facts", "no measurement", "measurement")
    wrong = {"settings": lambda *, quick: {"domian": {"name": "starter"}} if quick else {}}
    only(demo(tree, **wrong), "demo-settings", "settings(quick=True)", "'domain'")
    shutil.copytree(tree / "sharp", tree / "fewer")
    (tree / "fewer" / "3.png").unlink()
    only(demo(tree, test_sharp=tree / "fewer"), "demo-pictures", "without partner", "same path")
    only(demo(tree, blurry=tree / "no"), "demo-pictures", "no such folder", "path")


BREAKS = {
    *(check for check, *_ in METRICS),
    "loss-terms", "loss-gradients", "adversarial-terms",
    "default-root", "pairs-in-order", "disjoint-scenes", "pairs-fit", "wrong-root-refused",
    "demo-pictures", "demo-settings", "demo-facts",
}  # fmt: skip
