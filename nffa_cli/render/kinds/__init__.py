"""The sub-kinds of pictures, one module a category, each with its written rule; ``KINDS`` in each is what it can draw."""
