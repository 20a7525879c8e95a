"""The evening's work as one page to look at: what was taken, in which order, with what settings, and what is wrong with it."""
