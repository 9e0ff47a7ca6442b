"""The command line: a file per noun, thin commands that parse, call a command or a read, and render.

`main` finds noun and verb and loads that noun only, so that `--help` is instant (argparse, because click and Typer take
longer to import than the whole budget). `commandline` is how verbs are written, `output` how rows are shown, `world`
what commands get at: settings, database, instants.
"""
