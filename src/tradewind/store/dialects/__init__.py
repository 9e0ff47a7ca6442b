"""The only room that names databases: how SQLite and PostgreSQL say what our statements need."""
