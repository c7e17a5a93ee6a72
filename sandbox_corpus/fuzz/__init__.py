"""Fuzzers of the sandbox: `python -m sandbox_corpus.fuzz --minutes 10`, and for a bounded time among the tests.

Frames for both ends of the protocol, programs against the language policy, and ordinary programs that have to give
under the policy what plain Python gives.
"""
