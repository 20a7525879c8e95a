"""One module for each step that the tables have taken."""
