"""Making models: pictures by category, a split that leaks nothing, a network, calibration, a file and its card.

``names`` says what a folder's name means, ``pictures`` and ``renders`` bring pictures, ``split`` parts them, ``network``,
``augment`` and ``fit`` are the door of torch, ``measures`` judges, ``export`` writes the file, ``card`` tells people,
``adapt`` teaches an existing model from a handful of pictures without torch. What a model is, ``classify.models`` says.
"""
