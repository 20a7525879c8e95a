"""nffa: keep the meaning of electron micrographs, from the microscope PC to the facility's repository."""

__version__ = "0.1.0"
