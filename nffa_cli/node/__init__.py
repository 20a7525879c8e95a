"""The IDRP node: proposals, experiments, measurements and data assets behind a REST interface; one command starts it."""
