"""Simulated cameras of the bench: physics, determinism, files."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin
from scipy.ndimage import convolve
from scipy.signal import fftconvolve

from b2b_core.bench.cameras import CAMERAS, camera_named
from b2b_core.bench.cameras.base import rng_of
from b2b_core.bench.cameras.beyond import Beyond
from b2b_core.bench.cameras.convolution import Blurrer, blend_weight, fast_length
from b2b_core.bench.cameras.encode import decoded
from b2b_core.bench.cameras.kernels import disk, hand_path, joined, splat, straight_path
from b2b_core.bench.cameras.light import Tone, light_to_srgb, srgb_to_light, with_noise
from b2b_core.bench.cameras.phone import saturated
from b2b_core.bench.cameras.processing import denoised, gaussian, sharpened
from b2b_core.bench.frames import Frames, average, half_size
from b2b_core.bench.known import StraightMotion
from b2b_core.errors import UsageError


@pytest.fixture(scope="module")
def scene():
    """Return a photograph-like picture: smooth shapes, an edge, some texture."""
    rng = np.random.default_rng(0)
    grey = rng.integers(0, 256, (12, 14, 1)) + rng.integers(-20, 20, (12, 14, 3))
    coarse = Image.fromarray(grey.clip(0, 255).astype(np.uint8))
    picture = np.array(coarse.resize((56, 48), Image.Resampling.BICUBIC))
    picture[:, 28:] = 255 - picture[:, 28:]
    return picture


def psnr(first, second):
    """Return the PSNR of two 8-bit pictures in dB."""
    return -10 * np.log10(((first.astype(float) - second) ** 2).mean() / 255**2)


@pytest.mark.parametrize("name", CAMERAS)
def test_an_exposure_is_a_function_of_its_names(scene, name):
    """The same names give the same file, whatever was exposed before; other names another one."""
    camera = camera_named(name, {})

    def file(*names):
        rng = rng_of(*names)
        return camera.encode(camera.expose(scene, rng, blur=True), rng)

    first = file("blurry", "a")
    other = file("blurry", "b")
    assert file("blurry", "a") == first
    assert other != first
    assert file("test", "a") != first


@pytest.mark.parametrize("name", CAMERAS)
def test_a_camera_blurs_only_when_it_shall(scene, name):
    """Without blur the stored picture is near the camera's reference, with blur further away."""
    camera = camera_named(name, {})
    reference = camera.reference(scene)
    found = {}
    for blur in (False, True):
        rng = rng_of("x")
        file = camera.encode(camera.expose(scene, rng, blur=blur), rng)
        picture = decoded(file)
        assert picture.shape == scene.shape
        found[blur] = psnr(picture, reference)
    assert found[False] > found[True] + 3


@pytest.mark.parametrize("name", CAMERAS)
def test_files_have_the_format_that_the_suffix_names(scene, name):
    """A file with the camera's suffix is of that format; JPEG has chroma at half the size."""
    camera = camera_named(name, {})
    rng = rng_of("x")
    with Image.open(BytesIO(camera.encode(scene, rng))) as image:
        assert {".png": "PNG", ".jpg": "JPEG", ".webp": "WEBP"}[camera.suffix] == image.format
        if camera.suffix == ".jpg":
            assert JpegImagePlugin.get_sampling(image) == 2


def test_the_twice_encoded_file_differs_from_one_that_was_encoded_once(scene):
    """What the first encoding took is gone from the second; WebP can be chosen."""
    camera = Beyond()
    rng = rng_of("x")
    file = camera.encode(scene, rng)
    buffer = BytesIO()
    with Image.open(BytesIO(file)) as image:
        tables = image.quantization
    Image.fromarray(scene).save(buffer, "JPEG", qtables=tables, subsampling=2)
    assert buffer.getvalue() != file
    webp = camera_named("beyond", {"encoder": "webp"})
    assert webp.suffix == ".webp"
    assert webp.encode(scene, rng_of("x"))[8:12] == b"WEBP"


def test_unknown_cameras_and_parameters_are_refused_with_the_closest_name():
    """A misspelt name is answered by the right one."""
    with pytest.raises(UsageError, match="phone"):
        camera_named("phon", {})
    with pytest.raises(UsageError, match="motion"):
        camera_named("defocus", {"motoin": [1.0, 2.0]})


def test_kernels_are_light_that_is_shared_out():
    """Paths, disks and their convolution are non-negative and sum to one, centred on their mean."""
    rng = np.random.default_rng(1)
    for kernel in (
        splat(hand_path(rng, 9.0), 31), splat(straight_path(rng, 6.0, 5), 13), disk(2.3, 9),
        joined(splat(hand_path(rng, 3.0), 21), disk(1.5, 9)), gaussian(1.0, 9),
    ):  # fmt: skip
        assert kernel.min() >= 0
        assert kernel.sum() == pytest.approx(1)
        place = np.arange(len(kernel)) - len(kernel) // 2
        assert (kernel.sum(0) * place).sum() == pytest.approx(0, abs=0.05)


def test_paths_have_the_length_that_is_asked_for():
    """A hand's path is as long as wanted, bent; a straight one has its taps at equal distances."""
    rng = np.random.default_rng(2)
    path = hand_path(rng, 11.0)
    steps = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert steps.sum() == pytest.approx(11)
    assert np.linalg.norm(path[-1] - path[0]) < 11
    taps = straight_path(rng, 6.0, 4)
    assert np.linalg.norm(np.diff(taps, axis=0), axis=1) == pytest.approx([2, 2, 2])


def test_blurring_is_the_convolution_of_scipy(scene):
    """One kernel, with a mirrored border: equal to scipy's direct convolution."""
    light = srgb_to_light(scene)
    kernel = splat(hand_path(np.random.default_rng(3), 7.0), 15)
    made = Blurrer(light, 15).blur(kernel)
    wanted = convolve(light, kernel[..., None], mode="mirror")
    assert np.abs(made - wanted).max() < 1e-9


def test_a_field_of_equal_kernels_is_one_kernel(scene):
    """Weights of places sum to one; varying blur with equal kernels is uniform blur."""
    total = sum(blend_weight(20, 30, 3, row, column) for row in range(3) for column in range(3))
    assert total == pytest.approx(np.ones((20, 30)))
    light = srgb_to_light(scene)
    kernel = disk(1.5, 9)
    blurrer = Blurrer(light, 9)
    assert np.allclose(blurrer.blur_varying([[kernel] * 3] * 3), blurrer.blur(kernel))


def test_joined_kernels_act_one_after_the_other():
    """Joining is scipy's convolution at the size of the first, brought back to sum one."""
    rng = np.random.default_rng(4)
    first, second = splat(hand_path(rng, 3.0), 21), disk(2.0, 9)
    wanted = fftconvolve(first, second, "same").clip(0)
    assert np.allclose(joined(first, second), wanted / wanted.sum())


@pytest.mark.parametrize("least", [1, 7, 121, 536, 1025])
def test_fast_lengths_have_small_factors(least):
    """The length is enough and has no factor above five."""
    rest = fast_length(least)
    assert least <= rest < 2 * least + 1
    for factor in (2, 3, 5):
        while rest % factor == 0:
            rest //= factor
    assert rest == 1


def test_responses_take_every_level_to_light_and_back():
    """Both sRGB and the tone curve return all 256 levels; they are not the same curve."""
    levels = np.arange(256, dtype=np.uint8).reshape(1, 256, 1).repeat(3, 2)
    tone = Tone()
    assert (light_to_srgb(srgb_to_light(levels)) == levels).all()
    assert (tone.to_levels(tone.to_light(levels)) == levels).all()
    assert np.abs(tone.to_light(levels) - srgb_to_light(levels)).max() > 0.05


def test_noise_grows_with_light():
    """Its variance is that of reading plus that of counting."""
    rng = np.random.default_rng(5)
    for light in (0.0, 0.25, 1.0):
        made = with_noise(np.full((400, 400, 1), light), rng, 0.01, 0.02)
        assert made.std() == pytest.approx(np.hypot(0.01, 0.02 * light**0.5), rel=0.02)


def test_only_what_is_almost_white_is_a_light():
    """A light gets brighter than white; a wall of 90 per cent keeps its tone."""
    assert saturated(np.array([0.0, 0.5, 0.9]), 2.0).tolist() == [0.0, 0.5, 0.9]
    assert saturated(np.array([1.0]), 2.0) == pytest.approx([2.0])


def test_denoising_flattens_noise_and_keeps_edges():
    """Noise below the strength loses most of its deviation; a step keeps its height."""
    rng = np.random.default_rng(6)
    value = np.where(np.arange(64) < 32, 0.2, 0.8)[None, :, None].repeat(64, 0)
    made = denoised(value + 0.01 * rng.standard_normal(value.shape), 0.05)
    assert made[8:-8, 8:24].std() < 0.004
    assert made[:, 40:].mean() - made[:, :24].mean() == pytest.approx(0.6, abs=0.01)


def test_sharpening_overshoots_at_edges_and_leaves_flat_areas():
    """An unsharp mask makes halos and nothing else; without amount nothing changes."""
    value = np.where(np.arange(64) < 32, 0.2, 0.8)[None, :, None].repeat(64, 0)
    made = sharpened(value, 0.8)
    assert made.max() > 0.85
    assert made[:, :16] == pytest.approx(value[:, :16])
    assert sharpened(value, 0.0) == pytest.approx(value)


def test_objects_move_at_their_own_blur(scene):
    """Where an object moved the picture differs from that without it; far from it, it does not."""
    quiet = {"read_noise": 0.0, "shot_noise": 0.0, "defocus": (0.8, 0.8), "motion": (0.5, 0.5)}
    still = Beyond(objects=(0, 0), **quiet)._blur(srgb_to_light(scene), rng_of("x"))
    one = Beyond(objects=(1, 1), object_radius=(0.25, 0.25), object_motion=(9.0, 9.0), **quiet)
    changed = np.abs(one._blur(srgb_to_light(scene), rng_of("x")) - still).max(-1) > 0.02
    assert 0.03 < changed.mean() < 0.5


def test_known_motion_is_discrete_and_straight(scene):
    """A motion of two taps is the mean of two shifted pictures, in light."""
    motion = StraightMotion(variants=1, length=(4.0, 4.0), taps=(2, 2), noise=0.0)
    made = motion.move(scene, rng_of("x"))
    rng = rng_of("x")
    rng.integers(2, 3)
    rng.uniform(4.0, 4.0)
    angle = rng.uniform(0, np.pi)
    kernel = splat(2 * np.array([[np.cos(angle), np.sin(angle)]]) * [[-1], [1]], 13)
    wanted = light_to_srgb(convolve(srgb_to_light(scene), kernel[..., None], mode="mirror"))
    assert np.abs(made.astype(int) - wanted).max() <= 1


def test_windows_of_a_video_and_their_averages(scene):
    """All windows that fit, at the stride; equal frames average to themselves."""
    assert Frames(lengths=(3, 5), stride=2).windows(7) == [(0, 3), (2, 3), (4, 3), (0, 5), (2, 5)]
    assert (average([scene, scene, scene]) == scene).all()
    black, white = np.zeros_like(scene), np.full_like(scene, 255)
    assert average([black, white])[0, 0, 0] == 188  # half the light in sRGB


def test_half_the_size_is_the_mean_of_four_pixels(scene):
    """Every pixel is the mean of a square of two; an odd row is cut off."""
    wanted = scene.reshape(24, 2, 28, 2, 3).mean((1, 3))
    assert np.abs(half_size(scene) - wanted).max() <= 0.5
    assert half_size(scene[:47]).shape == (23, 28, 3)
