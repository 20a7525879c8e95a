"""The catalogue: the local SQLite database that remembers. Every SQL statement of the command line lives here."""
