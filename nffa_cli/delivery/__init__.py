"""What leaves this computer and comes back: what is due and why, bundles, runs of sync; get, login and search at the node.

How one kind of destination is spoken to is in ``destinations``; what was sent and answered is kept by ``catalogue``.
"""
