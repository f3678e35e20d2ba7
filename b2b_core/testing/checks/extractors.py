"""Level 2: blur codes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from b2b_core.testing.cases import ComponentCase
from b2b_core.testing.check import Check, component_check, fail

if TYPE_CHECKING:
    from b2b_core.contracts import BlurCode, KernelExtractor


@component_check(
    2,
    "return BlurCode(mean, sigma): maps (B, C, h, w), sigma None or not negative",
    "kernel-extractor",
)
def blur_codes(case: ComponentCase) -> None:
    """Check that the code of pairs is one map per pair, with a deviation or without."""
    code = _code_of_two(case)
    if code.mean.ndim != 4 or code.mean.shape[0] != 2:
        fail(f"two pairs give a code {tuple(code.mean.shape)}", where="extract")
    if code.sigma is None:
        return
    if code.sigma.shape != code.mean.shape:
        fail(
            f"mean {tuple(code.mean.shape)} and sigma {tuple(code.sigma.shape)} differ",
            where="extract",
        )
    if bool((code.sigma < 0).any()):
        fail("a standard deviation is negative", where="extract", mend="return sigma.abs()")


@component_check(
    2, "draw codes with BlurCode.sample; let reblur take the code as it is", "kernel-extractor"
)
def sampled_codes(case: ComponentCase) -> None:
    """Check that a code drawn with a generator is drawn again with its seed, and can be applied."""
    import torch

    from b2b_core.testing.networks import inputs_of

    network, code = _extractor(case), _code_of_two(case)
    drawn = [code.sample(torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    if not torch.equal(drawn[0], drawn[1]):
        fail("one seed draws two codes", where="sample")
    if code.sigma is not None and code.sigma.any() and torch.equal(drawn[0], drawn[2]):
        fail("two seeds draw one code", where="sample")
    sharp = inputs_of(case.spec, 2)[0]
    with torch.no_grad():
        blurry = network.reblur(sharp, drawn[0])
    if blurry.shape != sharp.shape:
        fail(
            f"a picture {tuple(sharp.shape)} under a drawn code is {tuple(blurry.shape)}",
            where="reblur",
            mend="return a picture of the size of `sharp`",
        )


def _extractor(case: ComponentCase) -> KernelExtractor:
    extractor: Any = case.awake()
    return cast("KernelExtractor", extractor)


def _code_of_two(case: ComponentCase) -> BlurCode:
    import torch

    from b2b_core.contracts import BlurCode
    from b2b_core.testing.networks import inputs_of

    with torch.no_grad():
        code: Any = _extractor(case).extract(*inputs_of(case.spec, 2))
    if not isinstance(code, BlurCode):
        fail(f"extract returns {type(code).__name__}, not a BlurCode", where="extract")
    return code


CHECKS: tuple[Check[ComponentCase], ...] = (blur_codes, sampled_codes)
