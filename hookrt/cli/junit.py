"""A report in JUnit's XML, which most CI systems read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring  # writes only

from hookrt.proving.results import Report, TestResult

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_text(report: Report) -> str:
    """The XML text: a suite for each hook, a case for each test, a failure with all that was not as expected."""
    root = Element("testsuites", _figures(report.results))
    root.set("name", "hookrt test")
    for hook in dict.fromkeys(result.test.hook for result in report.results):
        results = [result for result in report.results if result.test.hook == hook]
        file = _clean(results[0].test.written.place.file)
        suite = SubElement(root, "testsuite", {"name": _clean(hook), "file": file, **_figures(results)})
        for result in results:
            _add_case(suite, result)
    indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _figures(found: Sequence[TestResult]) -> dict[str, str]:
    return {
        "tests": str(len(found)),
        "failures": str(sum(not result.passed for result in found)),
        "errors": "0",
        "time": _seconds(sum(result.duration_ms for result in found)),
    }


def _add_case(suite: Element, result: TestResult) -> None:
    names = {"classname": result.test.hook, "name": result.test.name}  # a strict reader knows no place of a case
    case = SubElement(suite, "testcase", {key: _clean(text) for key, text in names.items()})
    case.set("time", _seconds(result.duration_ms))
    if not result.passed:
        problems = [mismatch.problem for mismatch in result.mismatches]
        failure = SubElement(case, "failure", {"message": _clean(problems[0].message.partition("\n")[0])})
        failure.text = _clean("\n\n".join(map(str, problems)))


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.6f}"


def _clean(text: str) -> str:
    """The text without what XML has no way to say."""
    return _NO_XML.sub("\ufffd", text)
