"""Runs corpora of escapes and of ordinary snippets against real workers: `python -m sandbox_corpus [FILE ...]`.

It stands outside hookrt because it can also start workers without the language policy, or without walls.
"""
