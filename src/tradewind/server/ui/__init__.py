"""The face of the screens: what they read beside the public API, the stream of news, and the built app itself.

Changes with the app; nothing else may rely on it. Wishes of people go through the public API.
"""
