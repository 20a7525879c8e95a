"""Run the command line with ``python -m nffa_cli``."""

from nffa_cli.start import main

if __name__ == "__main__":
    main()
