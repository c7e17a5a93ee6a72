"""Plugins without files: distributions and modules that exist in memory only."""

import importlib.metadata
import sys
import textwrap
import types

import pytest


class MemoryDistribution(importlib.metadata.Distribution):
    """An installed distribution whose metadata are given as texts."""

    def __init__(self, files):
        self._files = files

    def read_text(self, filename):
        return self._files.get(filename)

    def locate_file(self, path):
        return path


@pytest.fixture
def module_of():
    """Makes a module from source text."""

    def make(source, name="plugin_under_test"):
        module = types.ModuleType(name)
        exec(compile(textwrap.dedent(source), f"{name}.py", "exec"), module.__dict__)
        return module

    return make


@pytest.fixture
def installed(monkeypatch, module_of):
    """Makes the entry points of a distribution; `sources` maps entry point names to the source of their modules."""

    def make(distribution, version="1.0", **sources):
        lines = ["[hookrt]"]
        for name, source in sources.items():
            module_name = f"{distribution.replace('-', '_')}_{name}"
            if source is not None:
                monkeypatch.setitem(sys.modules, module_name, module_of(source, module_name))
            lines.append(f"{name} = {module_name}")
        files = {"METADATA": f"Name: {distribution}\nVersion: {version}\n", "entry_points.txt": "\n".join(lines)}
        return list(MemoryDistribution(files).entry_points)

    return make


@pytest.fixture
def bringing():
    """The source of a module that brings one action of this name."""

    def make(name, extra=""):
        return f"""
from hookrt.plugin import Action, Outcome, Settings, impl

class Brought(Action[Settings]):
    "Does nothing."
    name = {name!r}
    {extra}
    async def run(self, call):
        return Outcome.done()

@impl
def hookrt_actions():
    return [Brought]
"""

    return make
