"""Migrations of the node's database, run by Alembic at start."""
