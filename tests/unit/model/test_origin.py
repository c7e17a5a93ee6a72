"""The origin of a URL as it was written out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookrt.model.origin import written_origin


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://example.com", "https://example.com"),
        ("https://example.com/", "https://example.com"),
        ("HTTP://Example.COM:8080/a?b#c", "http://example.com:8080"),
        ("http://127.0.0.1:9000/hook", "http://127.0.0.1:9000"),
        ("http://[::1]:80/x", "http://[::1]:80"),
        ("  https://example.com/x ", "https://example.com"),
        ("https://example.com?x=${{ event.id }}", "https://example.com"),
        ("https://example.com/${{ event.id }}", "https://example.com"),
        ("https://example.com#f", "https://example.com"),
    ],
)
def test_the_origin_that_is_written_out_is_found(url, origin):
    assert written_origin(url) == origin


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "ftp://example.com",
        "https://",
        "https:///x",
        "https:example.com",
        "${{ event.data.url }}",
        "https://${{ event.data.host }}/x",
        "https://${{event.data.host}}/x",
        "https://example.com${{ event.data.rest }}",
        "https://example.com:${{ event.data.port }}/",
        "https://${{ a }}.example.com/",
        "https://user@127.0.0.1/",
        "https://example.com@127.0.0.1/",
        "https://example.com\\@127.0.0.1/",
        "https://local host/",
        "http://local\thost/",
        "http://local\nhost/",
    ],
)
def test_a_host_that_was_not_written_out_is_no_origin(url):
    assert written_origin(url) is None


@given(st.text())
def test_what_stands_behind_the_host_does_not_change_the_origin(rest):
    assert written_origin("https://example.com/" + rest) == "https://example.com"
