"""Run by the judge's Python: ``judge_a.py FILE…`` prints a line of JSON for each, ``[file, valid, complaints]``.

A process for each file, for pynxtools keeps what it found; they are forked, since importing it takes seconds.
"""

import json
import logging
import os
import sys


def judge(path):
    heard = []

    class Ear(logging.Handler):
        def emit(self, record):
            heard.append((record.levelname, record.getMessage()))

    for name in [None, *list(logging.root.manager.loggerDict)]:
        logging.getLogger(name).handlers.clear()
    logging.getLogger("pynxtools").addHandler(Ear())
    logging.getLogger().addHandler(Ear())
    try:
        with h5py.File(path, "r") as file:
            entries = [name for name in file if file[name].attrs.get("NX_class") == "NXentry"]
            definition = (
                file[entries[0]]["definition"][()].decode() if entries and "definition" in file[entries[0]] else None
            )
            if definition is None:
                return False, ["no entry with a definition"]
            valid = validation.validate_hdf_group_against(definition, file[entries[0]], path, False)
    except BaseException as error:
        return False, [f"{type(error).__name__}: {error}"]
    return bool(valid), [text for level, text in heard if level in ("WARNING", "ERROR")]


if __name__ == "__main__":
    import h5py
    from pynxtools.dataconverter import validation

    for path in sys.argv[1:]:
        sys.stdout.flush()
        child = os.fork()
        if not child:
            print(json.dumps([path, *judge(path)]), flush=True)
            os._exit(0)
        os.waitpid(child, 0)
