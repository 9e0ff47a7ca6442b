"""The only writers of state columns: changes of task instances and runs, built from the tables of legal changes."""
