"""Run the command line with ``python -m nffa_cli``."""

from nffa_cli.cli import main

if __name__ == "__main__":
    main()
