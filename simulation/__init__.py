"""The engine in a small world whose time, order, network, disk and crashes are made up by a seed.

`python -m simulation --seeds 1000` runs that many worlds, each with the real engine, and checks what it promises.
"""
