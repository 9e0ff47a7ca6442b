"""The public face: the REST API v2, with the shapes of Airflow's. Loaded at its first request (`door`)."""
