"""NXem files: a record as a NeXus tree, the tree as a file, and both judged against the definitions."""
