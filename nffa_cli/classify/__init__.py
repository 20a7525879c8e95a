"""What an SEM picture shows: pictures prepared for a network, models as data, and the decision, apart from each other.

``bars`` and ``images`` prepare, ``protobuf`` and ``models`` know what a model file is, ``onnx`` is the door of
onnxruntime, ``decide`` is pure. Nothing here touches the catalogue.
"""
