"""The files of a configuration, one or all of a directory, merged into their sections."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hookrt.config.code_values import node_of
from hookrt.config.document import read_document
from hookrt.config.fields import Fields, Keys, as_mapping
from hookrt.config.foreign import report_foreign
from hookrt.config.nodes import Entry, ListNode, MapNode, Node, TextNode
from hookrt.config.problem_log import ProblemLog
from hookrt.config.source_text import SourceText, Span
from hookrt.config.stamp import Stamp
from hookrt.config.suggest import closest, shorten

SECTIONS = ("version", "defaults", "sources", "destinations", "hooks", "service")
"""The keys at the top of a file."""

NAMED_SECTIONS = ("sources", "destinations", "hooks")
"""The sections whose entries have names; those of several files are merged."""

SINGLE_SECTIONS = ("defaults", "service")
"""The sections that stand in one file only."""

MAX_FILES = 1_000
"""Most files of a directory."""

_ELSEWHERE = {
    "hook": "hooks",
    "rules": "hooks",
    "endpoints": "destinations",
    "default": "defaults",
    "settings": "service",
}


@dataclass(slots=True)
class Sections:
    """What the files say, section by section. With `complete` false one of them could not be read.

    `base_dir` is the folder that they are in. `misnamed` are sections that seem to be there under a wrong key. `seen`
    is how the text files looked that settings name, once these are read. `written` are the sections with a mapping, be
    it an empty one in braces.
    """

    base_dir: Path
    files: tuple[Path, ...] = ()
    named: dict[str, dict[str, Entry]] = field(default_factory=lambda: {name: {} for name in NAMED_SECTIONS})
    single: dict[str, Entry] = field(default_factory=dict)
    complete: bool = True
    misnamed: set[str] = field(default_factory=set)
    seen: set[Stamp] = field(default_factory=set)
    written: set[str] = field(default_factory=set)

    def entries(self) -> Iterator[Entry]:
        """Every entry of every section."""
        yield from self.single.values()
        for section in self.named.values():
            yield from section.values()

    def step_keys(self) -> frozenset[str]:
        """All keys of all steps, among them the names of their actions."""
        hooks = [entry.value for entry in self.named["hooks"].values()]
        lists = [hook.get("steps") for hook in hooks if isinstance(hook, MapNode)]
        steps = [step for one in lists if isinstance(one, ListNode) for step in one.items]
        return frozenset(key for step in steps if isinstance(step, MapNode) for key in step.entries)


def _is_directory(path: Path) -> bool:
    """Whether this is a directory; a path that cannot be one is none."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def _find_files(path: Path, log: ProblemLog) -> tuple[Path, ...]:
    """The file, or the `*.yaml` and `*.yml` of a directory by name; an absent or empty one is reported."""
    if _is_directory(path):
        return _files_in(path, log)
    try:
        absent = not path.exists()
    except (OSError, ValueError):
        absent = False  # reading it will say why it cannot be read
    if absent:
        log.error(_whole(path), "there is no such file", "`hookrt init` writes one to start from")
    return () if absent else (path,)


def yaml_files(directory: Path) -> list[Path]:
    """The files of a directory that a configuration is read from, by name; raises OSError."""
    return sorted(one for one in directory.iterdir() if one.suffix in (".yaml", ".yml") and _is_file(one))


def _files_in(path: Path, log: ProblemLog) -> tuple[Path, ...]:
    try:
        found = yaml_files(path)
    except OSError as error:
        log.error(_whole(path), f"the directory cannot be read: {error.strerror}")
        return ()
    if not found:
        log.error(_whole(path), "the directory has no *.yaml file", "`hookrt init` writes one to start from")
    elif len(found) > MAX_FILES:
        log.error(_whole(path), f"the directory has more than {MAX_FILES} YAML files")
    return tuple(found[:MAX_FILES])


def read_sections(path: Path, log: ProblemLog) -> Sections:
    """A file, or all of a directory merged; a name that two of them give to a thing is reported with both places."""
    sections = Sections(path if _is_directory(path) else path.parent, _find_files(path, log))
    for file in sections.files:
        _add_root(read_document(file, log), sections, log)
    return sections


def read_dict(settings: Mapping[str, Any], base_dir: Path, log: ProblemLog) -> Sections:
    """What a file with these Python values would say; raises UsageError for values that no file could hold."""
    sections = Sections(base_dir)
    _add_root(node_of(settings, "settings", log), sections, log)
    return sections


def _add_root(root: Node | None, sections: Sections, log: ProblemLog) -> None:
    known = root is not None and report_foreign(root, log)
    node = as_mapping(root, "the file", log) if root is not None and not known else None
    if node is None:
        sections.complete = False
    else:
        _add_file(node, sections, log)


def _add_file(node: MapNode, sections: Sections, log: ProblemLog) -> None:
    Fields(node, "the file", log).check_keys(Keys(SECTIONS, _ELSEWHERE))
    meant = (_ELSEWHERE.get(name) or closest(name, SECTIONS) for name in node.entries if name not in SECTIONS)
    sections.misnamed.update(name for name in meant if name)
    _check_version(node, log)
    for name in SINGLE_SECTIONS:
        entry = node.entries.get(name)
        if entry is None:
            continue
        first = sections.single.setdefault(name, entry)
        if first is not entry:
            log.error(entry.key, f"`{name}` stands in two files, the first time at {first.key.span.place}")
    for name in NAMED_SECTIONS:
        entry = node.entries.get(name)
        section = as_mapping(entry.value, f"`{name}`", log) if entry is not None else None
        if entry is not None and isinstance(entry.value, MapNode):
            sections.written.add(name)
        if section is not None:
            _add_entries(name, section, sections, log)


def _add_entries(section: str, node: MapNode, sections: Sections, log: ProblemLog) -> None:
    merged = sections.named[section]
    for name, entry in node.entries.items():
        first = merged.setdefault(name, entry)
        if first is not entry:
            kind = section.removesuffix("s")
            message = f"the {kind} {shorten(name)} is defined twice, the first time at {first.key.span.place}"
            log.error(entry.key, message)


def _check_version(node: MapNode, log: ProblemLog) -> None:
    version = node.get("version")
    if version is not None and not (isinstance(version, TextNode) and version.text == "1"):
        log.error(version, "`version` must be 1: this hookrt knows no other")


def _is_file(path: Path) -> bool:
    return not path.name.startswith(".") and path.is_file()


def _whole(path: Path) -> Span:
    return Span(SourceText(str(path)), 1, 1)
