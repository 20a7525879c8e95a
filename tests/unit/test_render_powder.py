"""What powders are drawn with: drops on a plane do not run into each other, outlines can be bent, nothing is lost."""

from __future__ import annotations

import numpy as np

from nffa_cli.render import sub_kinds
from nffa_cli.render.crowd import balls, crowd, put
from nffa_cli.render.heaps import Sizes, crumpled
from nffa_cli.render.scene import Scene
from nffa_cli.render.spheres import laid, skin


def _field():
    return crowd(Scene(np.zeros((96, 128), np.float32), np.ones((96, 128), np.float32)))


def test_balls_on_a_plane_lie_beside_each_other():
    on = _field()
    found = laid(np.random.default_rng(1), on, Sizes(5, 1.6, 1.5, 20), cover=0.8)
    y, x, r = found.T
    apart = np.hypot(y[:, None] - y, x[:, None] - x) + 99 * np.eye(len(found))
    assert len(found) > 40
    assert (apart > 1.9 * np.sqrt(np.outer(r, r))).all()
    assert r.max() > 3 * r.min()


def test_balls_are_laid_where_they_may_lie():
    where = np.zeros((96, 128), bool)
    where[:, :40] = True
    found = laid(np.random.default_rng(2), _field(), Sizes(4, 1.4, 1.5, 10), cover=0.5, where=where)
    assert found[:, 1].max() < 41
    nowhere = laid(np.random.default_rng(2), _field(), Sizes(4, 1.4, 1.5, 10), cover=0.5, where=where & False)
    assert nowhere.shape[1] == 3


def test_a_skin_is_cut_into_balls_only():
    for scale in (2.0, 6.0):
        on = _field()
        lying = np.array([[40.0, 50, 20]])
        put(on, balls, lying[:, :2], lying[:, 2], z=np.zeros(1))
        smooth = on.height.copy()
        skin(on, np.random.default_rng(3), lying, scale=scale, depth=1.0)
        changed = on.height != smooth
        assert changed[on.owner == 0].mean() > 0.9
        assert not changed[on.owner < 0].any()


def test_crumpled_grains_have_bays():
    on = _field()
    put(on, balls, np.array([[48.0, 64]]), np.array([25.0]), 2.0, z=np.zeros(1))
    ball = (on.owner == 0).sum()
    crumpled(on, np.random.default_rng(4), 3.0, 12.0)
    y, x = np.nonzero(on.owner == 0)
    out = np.hypot(y - y.mean(), x - x.mean()).max()
    assert 0.7 < len(y) / ball < 1.4
    assert len(y) < 0.85 * np.pi * out**2, "no circle any more"
    assert (on.material[on.owner == 0] == 2).all()


def test_powders_of_metal_are_among_the_powders():
    names = set(sub_kinds("Powder"))
    assert {"metal drops on tape", "metal drops in layers", "lumps of lumps", "irregular grains"} <= names
