"""From a signal to grey levels: charging, focus, scanning, noise, contrast and brightness as instruments are set.

What is drawn at random follows from the question what a 1024 × 768 picture looks like when shrunk four times: noise and
focus are averaged away, contrast is what the operator chose; some pictures are flat, some saturated, a few are bad.
"""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.fields import Array, blur, grid, smooth

CHARGING, STREAKS, SCANNED, DRIFT, ASTIGMATIC, FOCUS_DEPTH = 0.14, 0.08, 0.04, 0.1, 0.12, 0.07
"""How often a picture charges, has streaks, shows the frame of an earlier scan, drifts, is astigmatic, is soft in part."""
LIFTED, EXTREME, KNEE = 0.45, 0.75, 0.7
"""How often the ground is brought to a middle grey, how often where it would be nearly black or white, and how often
whites are rounded off instead of clipped."""


def greys(signal: Array, rng: np.random.Generator, *, finished: bool = False) -> Array:
    """Return uint8 grey levels of a signal; a ``finished`` picture (0..1) keeps its blacks, whites and sharpness mostly."""
    if finished:
        level = signal * np.float32(rng.uniform(0.85, 1.0)) + np.float32(rng.uniform(0.0, 0.06))
        level = blur(level, float(rng.uniform(0.0, 0.5)))
        return to_bytes(_noisy(level, rng, float(np.exp(rng.uniform(math.log(0.001), math.log(0.015))))))
    if rng.random() < CHARGING:
        signal = charged(signal, rng)
    signal = shaded(signal, rng)
    signal = focused(signal, rng)
    if rng.random() < DRIFT:
        signal = drifted(signal, rng)
    level = contrast(signal, rng)
    if rng.random() < STREAKS:
        level = streaked(level, rng)
    noise = float(np.exp(rng.normal(math.log(0.015), 0.7)))
    return to_bytes(_noisy(level, rng, min(noise, 0.09)))


def to_bytes(level: Array) -> Array:
    """Return 0..1 as uint8, clipped."""
    return np.clip(level * np.float32(255) + np.float32(0.5), 0, 255).astype(np.uint8)


def _noisy(level: Array, rng: np.random.Generator, noise: float) -> Array:
    """Add shot noise (it grows with the root of the signal) and, now and then, noise of whole lines."""
    grain = rng.standard_normal(level.shape, dtype=np.float32)
    level = level + grain * np.sqrt(np.maximum(level, 0) + np.float32(0.15)) * np.float32(noise)
    if rng.random() < 0.3:
        lines = rng.standard_normal((level.shape[0], 1), dtype=np.float32)
        level = level + lines * np.float32(rng.exponential(0.006))
    return level


def charged(signal: Array, rng: np.random.Generator) -> Array:
    """Return the signal of a surface that charges: bright things bloom, are followed by dark tails and dark halos."""
    bright = np.maximum(signal - np.float32(np.quantile(signal[::4, ::4], rng.uniform(0.6, 0.9))), 0)
    bloom = blur(bright, (0.5, float(rng.uniform(2, 8))))
    tail = np.roll(blur(bright, (0.6, float(rng.uniform(6, 16)))), int(rng.integers(8, 20)), axis=1)
    halo = blur(bright, float(rng.uniform(6, 18)))
    a, b, c = rng.uniform(0, 1.2), rng.uniform(0, 1.5) * (rng.random() < 0.6), rng.uniform(0, 1.0)
    return np.maximum(signal + np.float32(a) * bloom - np.float32(b) * tail - np.float32(c) * halo, np.float32(0.02))


def shaded(signal: Array, rng: np.random.Generator) -> Array:
    """Return the signal with slow changes over the field: detector side, curvature, contamination, an earlier scan."""
    rows, columns = signal.shape
    y, x = grid(signal.shape)
    y, x = y / np.float32(rows) - np.float32(0.5), x / np.float32(columns) - np.float32(0.5)
    ramp = rng.normal(0, 0.1, 2).astype(np.float32)
    gain = 1 + ramp[0] * y + ramp[1] * x
    if rng.random() < 0.3:
        gain = gain - np.float32(rng.exponential(0.25)) * (np.square(y) + np.square(x))
    if rng.random() < 0.3:
        gain = gain + np.float32(rng.uniform(0.02, 0.08)) * smooth(
            rng, signal.shape, columns * float(rng.uniform(0.4, 1))
        )
    if rng.random() < SCANNED:
        size, cy, cx = rng.uniform(0.1, 0.35), *rng.uniform(-0.3, 0.3, 2)
        inside = np.clip((size - np.maximum(np.abs(y - cy), np.abs(x - cx) * 0.75)) * columns * 0.5, 0, 1)
        gain = gain * (1 - np.float32(rng.uniform(0.06, 0.3)) * inside.astype(np.float32))
    return signal * np.maximum(gain, np.float32(0.1))


def focused(signal: Array, rng: np.random.Generator) -> Array:
    """Return the signal as a spot of some size sees it: mostly sharp, at times soft, astigmatic or soft on one side."""
    spot = float(np.clip(np.exp(rng.normal(math.log(0.44), 0.4)), 0.2, 2.4))
    soft = blur(signal, spot)
    if rng.random() < ASTIGMATIC:
        far, angle = rng.uniform(0.5, 2.0), rng.uniform(0, math.pi)
        dy, dx = round(far * math.sin(angle)), round(far * math.cos(angle))
        soft = (
            soft + (np.roll(soft, (dy, dx), (0, 1)) + np.roll(soft, (-dy, -dx), (0, 1))) * np.float32(0.7)
        ) / np.float32(2.4)
    if rng.random() < FOCUS_DEPTH:
        rows = np.linspace(-1, 1, signal.shape[0], dtype=np.float32)[:, None]
        part = np.clip(np.abs(rows - np.float32(rng.uniform(-1, 1))) - np.float32(0.3), 0, 1)
        soft = soft + (blur(signal, float(rng.uniform(1.2, 3.0))) - soft) * part
    return soft


def drifted(signal: Array, rng: np.random.Generator) -> Array:
    """Return the signal with lines moved sideways: slow drift, a sudden jump, or vibration."""
    rows, columns = signal.shape
    at = np.arange(rows) / rows
    move = rng.normal(0, 2.0) * at + rng.normal(0, 1.0) * np.sin(at * rng.uniform(2, 7) + rng.uniform(0, 6))
    if rng.random() < 0.3:
        move += rng.normal(0, 1.5) * (at > rng.uniform(0.1, 0.9))
    if rng.random() < 0.4:
        move += rng.uniform(0.1, 0.7) * np.sin(np.arange(rows) * rng.uniform(0.4, 3.0))
    x = np.clip(np.arange(columns) + move[:, None], 0, columns - 1.001)
    low = x.astype(np.int32)
    part = (x - low).astype(np.float32)
    left = np.take_along_axis(signal, low, axis=1)
    return left + (np.take_along_axis(signal, low + 1, axis=1) - left) * part


def streaked(level: Array, rng: np.random.Generator) -> Array:
    """Return the picture with a few lines brighter or darker from some place on, as discharges leave them."""
    level = level.copy()
    rows, columns = level.shape
    for _ in range(int(rng.integers(1, 12))):
        row, start = int(rng.integers(rows)), int(rng.integers(-columns // 2, columns))
        fade = np.exp(-np.arange(columns - max(start, 0)) / rng.uniform(20, 300)).astype(np.float32)
        level[row : row + int(rng.integers(1, 3)), max(start, 0) :] += fade * np.float32(rng.normal(0, 0.12))
    return level


def contrast(signal: Array, rng: np.random.Generator) -> Array:
    """Return grey levels 0..1 (and beyond, where they saturate) as an operator might set them.

    The gain is a compromise between the range of this signal and what one usually sets: a smooth film stays grey and
    flat, and a few bright specks on a wafer are not blown up until the wafer is black.
    """
    sample = np.sort(signal[::2, ::3], axis=None)
    low, middle, high, top = (
        float(sample[int(p * (sample.size - 1))])
        for p in (rng.uniform(0.001, 0.02), 0.5, 1 - np.exp(rng.uniform(math.log(0.002), math.log(0.03))), 0.9985)
    )
    high += (top - high) * float(rng.uniform(0.1, 1))
    span = max(high - low, 1e-3)
    usual = max(abs(middle), 0.2) * float(np.exp(rng.normal(math.log(1.2), 0.4)))
    shown = max(span ** (follows := float(rng.uniform(0.5, 1.0))) * usual ** (1 - follows), span * 0.95)
    low -= (shown - span) * float(rng.uniform(0.15, 0.7))
    level = np.clip((signal - np.float32(low)) / np.float32(shown), 0, 1.8)
    ground = min(max((middle - low) / shown, 0.02), 0.95)
    gamma = float(np.exp(rng.normal(0, 0.2)))
    if rng.random() < (
        LIFTED if 0.15 < ground < 0.85 else EXTREME
    ):  # what fills the picture is brought to some grey, not to black or white
        gamma = math.log(float(rng.uniform(0.22, 0.6))) / math.log(ground)
    level = level ** np.float32(min(max(gamma, 0.4), 2.0))
    draw = rng.random()
    if draw < 0.58:  # the whole range used, the deepest shadows often lost
        dark, bright = rng.uniform(-0.08, 0.08), rng.uniform(0.8, 1.05)
    elif draw < 0.8:  # grey and flat
        dark, bright = rng.uniform(0.08, 0.42), rng.uniform(0.42, 0.88)
        bright = max(bright, dark + 0.12)
    elif draw < 0.86:  # hardly any contrast, as on smooth wafers
        dark = rng.uniform(0.15, 0.7)
        bright = dark + rng.uniform(0.05, 0.2)
    elif draw < 0.93:  # too bright: whites saturate
        dark, bright = rng.uniform(0.05, 0.3), rng.uniform(1.05, 1.35)
    else:  # too dark: blacks are lost
        dark, bright = rng.uniform(-0.2, -0.05), rng.uniform(0.55, 0.95)
    level = level * np.float32(bright - dark) + np.float32(dark)
    if rng.random() < KNEE:  # amplifiers give way before they clip
        over = np.maximum(level - np.float32(0.82), 0)
        level = level - over + np.float32(0.18) * (1 - np.exp(over * np.float32(-1 / 0.18)))
    return np.asarray(level, np.float32)
