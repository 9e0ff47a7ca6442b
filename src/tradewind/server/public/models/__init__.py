"""Bodies and answers of the public face, a file per noun: names, types and limits of Airflow's REST API v2.

Shapes only. Which row becomes which field stands in `server.public.views`.
"""
