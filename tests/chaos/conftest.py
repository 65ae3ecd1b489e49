from tests.system.conftest import database_url, postgres_server, postgres_url, teams_towns, towns

__all__ = ["database_url", "postgres_server", "postgres_url", "teams_towns", "towns"]
