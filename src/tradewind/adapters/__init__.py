"""Adapters: one foreign thing per file, behind a port or a protocol of its consumer."""
