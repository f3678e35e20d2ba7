"""Level 2: what comes out has the size it should have, for every size that is declared."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from b2b_core.specs import SizeRule, TranslatorSpec
from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, CheckFailedError, component_check, fail

if TYPE_CHECKING:
    from torch import Tensor, nn

    from b2b_core.specs import Spec

#: What a size rule may ask for, in the order in which it is looked for.
MULTIPLES = (1, 2, 4, 8, 16, 32, 64, 128)
#: Largest side that is tried while a size rule is looked for.
LARGEST = 256
Size = tuple[int, int]


@component_check(
    2,
    "declare the sizes that it takes with size=SizeRule(...), or pad inside the network",
    "translator",
    "deblurrer",
    "kernel-extractor",
)
def output_sizes(case: ComponentCase) -> None:
    """Check that every size that the rule allows comes out right: all levels, square or not."""
    from b2b_core.testing.networks import size_of

    network, spec = case.awake(), case.spec
    rule = size_of(spec)
    for size in grid(rule):
        problem = problem_at(spec, network, size)
        if problem:
            fail(
                f"at {size[0]}x{size[1]}, which {_written(rule)} allows, {problem}",
                where="forward",
                mend=_advice(lambda tried: not problem_at(spec, network, tried)),
            )


@component_check(
    2, "return one map (B, 1, h, w) per level of the pyramid, in its order", "discriminator"
)
def logits_per_level(case: ComponentCase) -> None:
    """Check that a discriminator gives one map of logits per level and picture."""
    from b2b_core.testing.networks import inputs_of, quiet_outputs

    inputs = inputs_of(case.spec, 2)
    made = quiet_outputs(case.spec, case.awake(), inputs)
    if len(made) != len(inputs):
        fail(f"{len(inputs)} levels go in, {len(made)} maps come out", where="forward")
    for level, logits in zip(inputs, made, strict=True):
        if logits.ndim != 4 or logits.shape[:2] != (2, 1):
            fail(f"a level {tuple(level.shape)} gives {tuple(logits.shape)}", where="forward")


@component_check(
    2, "return a list of maps (B, C, h, w) for any size from 8x8 on", "feature-extractor"
)
def maps_of_pictures(case: ComponentCase) -> None:
    """Check that pictures of any size give as many maps with four dimensions.

    Levels of a pyramid are small: 32 pixels at a quarter of a usual crop.
    """
    from b2b_core.testing.networks import inputs_of, quiet_outputs

    counts: set[int] = set()
    for size in ((64, 48), (33, 47), (8, 8)):
        made = quiet_outputs(case.spec, case.awake(), inputs_of(case.spec, 2, size))
        counts.add(len(made))
        for one in made:
            if one.ndim != 4 or one.shape[0] != 2:
                fail(f"two pictures of {size} give a map {tuple(one.shape)}", where="forward")
    if len(counts) > 1:
        fail(f"the number of maps depends on the size: {sorted(counts)}", where="forward")


def grid(rule: SizeRule) -> list[Size]:
    """Return sizes that a rule allows: the smallest, the next, one of each, and a larger one."""
    small, middle = rule.fit(1), rule.fit(48)
    following = small + rule.multiple_of
    return [
        (small, small),
        (following, following),
        (small, following),
        (middle + rule.multiple_of, middle + 3 * rule.multiple_of),
    ]


def problem_at(spec: Spec[Any, Any], network: nn.Module, size: Size) -> str:
    """Return what is wrong with the outputs for pictures of one size; nothing if they are right."""
    from b2b_core.testing.networks import inputs_of, quiet_outputs

    try:
        made = quiet_outputs(spec, network, inputs_of(spec, 1, size))
    except CheckFailedError as error:
        return error.what
    except Exception as error:
        return f"it fails: {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return _wrong_shape(spec, made, size)


def _wrong_shape(spec: Spec[Any, Any], made: list[Tensor], size: Size) -> str:
    scales = spec.scales if isinstance(spec, TranslatorSpec) else (1.0,)
    images = made if isinstance(spec, TranslatorSpec) else made[:1]
    wanted = [(1, 3, round(size[0] * scale), round(size[1] * scale)) for scale in scales]
    found = [tuple(image.shape) for image in images]
    if len(found) != len(wanted):
        return f"{len(found)} levels come out, the spec's scales are {scales}"
    for shape, right in zip(found, wanted, strict=True):
        if shape != right:
            return f"{shape} comes out where {right} should"
    return ""


def _advice(works: Callable[[Size], bool]) -> str | None:
    """Return the smallest size rule by which the network works, as far as it was tried."""

    def from_on(side: int, multiple: int) -> bool:
        # four sides in a row: what is rounded may come out right for two of them
        following = [(side + n * multiple, side + (n + 1) * multiple) for n in (0, 2)]
        return works((side, side)) and all(map(works, following))

    for multiple in MULTIPLES:
        if not from_on(SizeRule(multiple).fit(96), multiple):
            continue
        for minimum in range(multiple, LARGEST + 1, multiple):
            if from_on(minimum, multiple):
                rule = SizeRule(multiple, minimum if minimum > multiple else 1)
                return f"it works with size={_written(rule)}: declare that"
    return None


def _written(rule: SizeRule) -> str:
    minimum = f", minimum={rule.minimum}" if rule.minimum > 1 else ""
    return f"SizeRule(multiple_of={rule.multiple_of}{minimum})"


CHECKS: tuple[Check[ComponentCase], ...] = (output_sizes, logits_per_level, maps_of_pictures)
