"""Habits of crystals and grains, for whole crowds of them: faces, rotations, how they come to lie; not the stamping."""

from __future__ import annotations

import math

import numpy as np

from nffa_cli.render.crowd import Form, Rng, ellipsoids, solids
from nffa_cli.render.fields import Array
from nffa_cli.render.shapes import CUBE, DODECAHEDRON, OCTAHEDRON, TETRAHEDRON, prism


def turns(rng: Rng, number: int) -> Array:
    """Return uniform random rotations (N, 3, 3)."""
    q = rng.standard_normal((number, 4))
    w, x, y, z = (q / np.linalg.norm(q, axis=1, keepdims=True)).T
    return np.stack(
        [
            np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], axis=1),
            np.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], axis=1),
            np.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], axis=1),
        ],
        axis=1,
    )


def spins(angle: Array, *, tip: float | Array = 0.0, toward: float | Array = 0.0) -> Array:
    """Return rotations (N, 3, 3): about the z axis by ``angle``, then tipped by ``tip`` in the direction ``toward``."""
    a, t, w = np.broadcast_arrays(np.asarray(angle, float), np.asarray(tip, float), np.asarray(toward, float))
    zero, one = np.zeros(a.shape), np.ones(a.shape)

    def about_z(k: Array) -> Array:
        return np.stack([np.cos(k), -np.sin(k), zero, np.sin(k), np.cos(k), zero, zero, zero, one], axis=-1).reshape(
            -1, 3, 3
        )

    about_y = np.stack([np.cos(t), zero, np.sin(t), zero, one, zero, -np.sin(t), zero, np.cos(t)], axis=-1)
    found: Array = about_z(w) @ about_y.reshape(-1, 3, 3) @ about_z(a - w)
    return found


def grains(
    rng: Rng, number: int, *, faces: int = 9, uneven: float = 0.25, flat: float = 1.0, tip: float | None = None
) -> Form:
    """Return irregular convex grains of about ``faces`` faces and six more; ``flat`` < 1 makes flakes.

    ``tip`` is the deviation of their tilt in radians; None turns them anyhow.
    """
    n = rng.standard_normal((number, faces, 3))
    n /= np.linalg.norm(n, axis=2, keepdims=True)
    box = np.broadcast_to(np.array(CUBE, float), (number, 6, 3))
    n = np.concatenate([n, box], axis=1)
    d = np.concatenate(
        [rng.uniform(0.85 - uneven, 0.9 + uneven / 2, (number, faces)), np.full((number, 6), 0.95)], axis=1
    )
    if flat != 1.0:
        n = n / np.array([1, 1, max(flat, 0.015)])
        length = np.linalg.norm(n, axis=2)
        n, d = n / length[..., None], d / length
    return solids(*_turned(n, d, _either(rng, number, tip)))


def _either(rng: Rng, number: int, tip: float | None) -> Array:
    if tip is None:
        return turns(rng, number)
    return spins(
        rng.uniform(0, 2 * np.pi, number),
        tip=np.abs(rng.normal(0, tip, number)),
        toward=rng.uniform(0, 2 * np.pi, number),
    )


def _turned(n: Array, d: Array, by: Array) -> tuple[Array, Array]:
    return np.einsum("nij,nfj->nfi", by, n), d


def potatoes(rng: Rng, number: int, *, least: float = 0.6, flat: float = 0.6) -> Form:
    """Return rounded grains: ellipsoids with axes from ``least`` to 1 (the third from ``flat``), turned anyhow."""
    axes = np.stack(
        [np.ones(number), rng.uniform(least, 1, number), rng.uniform(min(flat, least), 1, number)], axis=1
    )  # fmt: skip
    return ellipsoids(axes, turns(rng, number))


def spindles(rng: Rng, number: int, aspect: float, *, tip: float | None = 0.1, spread: float = 0.15) -> Form:
    """Return ellipsoids ``aspect`` times longer than thick, lying (``tip`` None: turned anyhow)."""
    thick = np.clip(rng.normal(1, spread, number), 0.5, 1.6) / aspect
    return ellipsoids(np.stack([np.ones(number), thick, thick], axis=1), _either(rng, number, tip))


def table(habit: str, *, cut: float = 0.0, long: float = 1.0) -> tuple[Array, Array]:
    """Return (normals, distances) of a crystal of circumradius about 1.

    Habits: cube, octahedron, dodecahedron, tetrahedron; triangle, hexagon, square (plates and rods: ``long`` is their half
    height over their inradius); bipyramid (``long`` times higher than wide). ``cut`` 0..1 truncates the corners.
    """
    if habit in ("triangle", "square", "hexagon", "bipyramid"):
        sides = {"triangle": 3, "square": 4, "hexagon": 6, "bipyramid": 5}[habit]
        n, d = prism(sides, length=0.01, pointed=long) if habit == "bipyramid" else prism(sides, length=long)
        if habit == "bipyramid":
            # Faces through the equator's inradius and an apex at height ``long``.
            turn = np.arange(sides) * 2 * np.pi / sides
            n = np.concatenate(
                [np.stack([np.cos(turn) * long, np.sin(turn) * long, np.full(sides, up)], axis=1) for up in (1.0, -1.0)]
            ) / math.hypot(1, long)
            d = np.full(2 * sides, long / math.hypot(1, long))
        if habit == "triangle" and cut:
            turn = np.arange(3) * 2 * np.pi / 3 + np.pi
            n = np.concatenate([n, np.stack([np.cos(turn), np.sin(turn), np.zeros(3)], axis=1)])
            d = np.concatenate([d, np.full(3, 2.0 - cut)])
        return np.asarray(n), np.asarray(d) / max(long, {3: 2.0, 4: 1.42, 5: 1.25, 6: 1.16}[sides])
    faces = {"cube": CUBE, "octahedron": OCTAHEDRON, "dodecahedron": DODECAHEDRON, "tetrahedron": TETRAHEDRON}[habit]
    n = np.array(faces, float)
    d = np.full(len(n), {"cube": 0.577, "octahedron": 0.577, "tetrahedron": 0.333}.get(habit, 0.8))
    if cut and habit != "dodecahedron":
        others = np.array(CUBE if habit == "octahedron" else OCTAHEDRON, float)
        n, d = np.concatenate([n, others]), np.concatenate([d, np.full(len(others), 1 - 0.42 * cut)])
    return n, d


def lying(
    rng: Rng, number: int, faces: tuple[Array, Array], *, tip: float = 0.03, down: int | None = None
) -> tuple[Form, Array]:
    """Return crystals that lie on a face (``down``, else any), and the lift of their centres in radii.

    ``tip`` is by how many radians (one deviation) they lean.
    """
    n, d = np.asarray(faces[0], float), np.asarray(faces[1], float)
    foot = np.full(number, down) if down is not None else rng.integers(0, len(n), number)
    axis = n[foot]
    toward = np.arctan2(axis[:, 1], axis[:, 0])
    polar = np.arccos(np.clip(axis[:, 2], -1, 1))
    # Undo the face's direction, so that it points up, and turn it down.
    upright = np.swapaxes(spins(toward, tip=polar, toward=toward), 1, 2)
    upright = upright * np.array([1, -1, -1])[None, :, None]
    by = _either(rng, number, tip) @ spins(rng.uniform(0, 2 * np.pi, number)) @ upright
    many = np.broadcast_to(n, (number, *n.shape))
    # Spun by the same angle about z, a face that points down stays down.
    return solids(np.einsum("nij,nfj->nfi", by, many), np.broadcast_to(d, (number, len(d)))), d[foot]


def tumbled(rng: Rng, number: int, faces: tuple[Array, Array]) -> Form:
    """Return crystals turned anyhow."""
    n, d = np.asarray(faces[0], float), np.asarray(faces[1], float)
    by = turns(rng, number)
    return solids(np.einsum("nij,fj->nfi", by, n), np.broadcast_to(d, (number, len(d))))
