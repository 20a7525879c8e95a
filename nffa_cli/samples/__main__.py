"""``python -m nffa_cli.samples FOLDER``: write the samples and a session file into a folder; so ``examples/`` is made."""

from __future__ import annotations

import argparse
from pathlib import Path

from nffa_cli import samples

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m nffa_cli.samples", description="Write one sample of each kind.")
    parser.add_argument("folder", type=Path)
    samples.make_session(parser.parse_args().folder)
