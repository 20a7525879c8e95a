"""MEMS devices and electrodes: lay-outs and devices, made part by part.

Written rule: the picture shows a lay-out or a device: pads, leads, electrodes, transistors, released beams, heaters,
channels, wave guides, coils, trenches, a die or its package. Parts differ and have a function; some of them repeat (the
fingers of a comb), but the repetition does not fill the field, and its bus, pads, anchors or surroundings are seen. The
same element over the whole field is a Patterned surface, and so is the grating of a coupler. The sub-kinds are in
``electrodes``, ``contacts`` (wires under leads), ``circuits`` (planar devices), ``devices`` (what
moves or was cut), ``released`` (what floats) and ``chips`` (dies, bonds, packages).
"""

from __future__ import annotations

from nffa_cli.render.kind import kinds
from nffa_cli.render.kinds import chips, circuits, contacts, devices, electrodes, released

KINDS = kinds(*electrodes.ROWS, *circuits.ROWS, *contacts.ROWS, *devices.ROWS, *released.ROWS, *chips.ROWS)
