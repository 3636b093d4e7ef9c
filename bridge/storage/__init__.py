"""Tables, migrations, repositories and the unit of work: SQLite by default, PostgreSQL by URL."""
