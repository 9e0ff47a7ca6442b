"""`python -m airflow`."""

from __future__ import annotations

import sys

from airflow._command import main

sys.exit(main())
