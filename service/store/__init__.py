"""Transactions and queries over SQLAlchemy Core: rows in, frozen values out. It never decides anything."""
