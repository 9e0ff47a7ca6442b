"""Named statements and the methods of a transaction that run them, one file per family of the port."""
