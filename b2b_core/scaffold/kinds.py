"""What the templates need to know of each kind of component."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen


@frozen(kw_only=True)
class Kind:
    """The sample component of a kind."""

    #: Class that the component's module defines.
    product: str
    #: What it is, as one line of a listing.
    summary: str
    #: Its contract; spec and config are named after it: `TranslatorSpec`, `TranslatorConfig`.
    contract: str
    #: Distributions that it needs beside the core and attrs.
    requirements: tuple[str, ...] = ("torch>=2.5.1",)
    #: attrs validators that its config uses.
    validators: tuple[str, ...] = ("ge",)
    #: Further names that its spec needs from `b2b_core.specs`.
    specs: tuple[str, ...] = ()
    #: A command that uses the component; NAME stands for its name.
    use: str


def identifier(kind: str) -> str:
    """Return the kind as part of a Python name: `kernel_extractor`."""
    return kind.replace("-", "_")


_EXTRACTOR = (
    "b2b train extractor --domain starter --component NAME --steps 500 -o extractor.safetensors"
)
_DEBLURRER = (
    "b2b train deblurrer --domain starter --component NAME --steps 500 -o deblurrer.safetensors"
)

OF_KIND: Mapping[str, Kind] = {
    "strategy": Kind(
        product="GaussianFineTuning",
        contract="Strategy",
        summary="fine-tune the known deblurrer on sharp pictures under Gaussian blur",
        validators=("ge", "gt"),
        use="b2b adapt BLURRY SHARP --strategy NAME -o runs/NAME",
    ),
    "domain": Kind(
        product="FolderDomain",
        contract="Domain",
        summary="pairs by equal names in two folders, split by scene",
        requirements=("b2b-plugin-unet",),  # whose network its deblurrer is
        use="b2b adapt BLURRY SHARP --domain NAME --domain-root DIR --deblurrer FILE -o runs/NAME",
    ),
    "translator": Kind(
        product="ResidualTranslator",
        contract="Translator",
        summary="a few convolutions that correct the picture, one scale",
        specs=("SizeRule",),
        use="b2b adapt BLURRY SHARP --translator NAME -o runs/NAME",
    ),
    "deblurrer": Kind(
        product="HalfSizeDeblurrer",
        contract="Deblurrer",
        summary="a few convolutions at half the picture's size",
        specs=("SizeRule",),
        use=_DEBLURRER,
    ),
    "discriminator": Kind(
        product="PatchDiscriminator",
        contract="Discriminator",
        summary="three convolutions, the same for all levels of the pyramid",
        use="b2b adapt BLURRY SHARP --set discriminator.name=NAME -o runs/NAME",
    ),
    "kernel-extractor": Kind(
        product="LinearKernels",
        contract="KernelExtractor",
        summary="one linear kernel for each picture, estimated by a small network",
        specs=("SizeRule",),
        use=_EXTRACTOR,
    ),
    "loss": Kind(
        product="LogCosh",
        contract="Loss",
        summary="log cosh of the difference: quadratic when small, absolute when large",
        validators=("gt",),
        use="b2b show NAME",
    ),
    "feature-extractor": Kind(
        product="Differences",
        contract="FeatureExtractor",
        summary="the picture and its differences between neighbours, at several scales",
        use="b2b adapt BLURRY SHARP --strategy adversarial --set features.name=NAME -o runs/NAME",
    ),
    "metric": Kind(
        product="MeanAbsoluteError",
        contract="Metric",
        summary="mean absolute difference in 8-bit levels",
        validators=(),
        use="b2b evaluate --restored DIR --reference DIR --metric NAME",
    ),
    "demo": Kind(
        product="PictureDemo",
        contract="Demo",
        summary="a simulated camera on drawn pictures",
        requirements=(
            "b2b-plugin-patchgan",
            "b2b-plugin-reblur",
            "b2b-plugin-starter",
        ),
        use="b2b demo NAME --quick -o runs/NAME",
    ),
}
