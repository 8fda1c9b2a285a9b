"""Master repositories: a master database, a schema database and one database a class."""
