"""What the standard library would load only when it is first used, loaded before the walls go up."""

from __future__ import annotations

import _strptime  # type: ignore[import-not-found] # noqa: F401 - datetime.strptime
import codecs
import contextlib
import decimal
import hashlib
import heapq  # noqa: F401 - Counter.most_common
import ipaddress  # noqa: F401 - urllib.parse
import stringprep  # noqa: F401 - the codec idna
import time
import unicodedata  # noqa: F401 - escapes like \N{BULLET}

from hookrt.actions.python_snippet.worker.zones import zone_data

CODECS = (
    "ascii big5 cp037 cp437 cp850 cp852 cp866 cp932 cp949 cp1250 cp1251 cp1252 cp1253 cp1254 cp1255 cp1256 cp1257 "
    "euc-jp euc-kr gb18030 gb2312 gbk hz idna iso2022-jp iso8859-1 iso8859-2 iso8859-3 iso8859-4 iso8859-5 iso8859-7 "
    "iso8859-9 iso8859-10 iso8859-13 iso8859-15 koi8-r koi8-u latin-1 mac-roman punycode raw-unicode-escape "
    "shift-jis tis-620 unicode-escape utf-7 utf-8 utf-8-sig utf-16 utf-16-be utf-16-le utf-32 utf-32-be utf-32-le"
)
"""Text encodings that snippets can use."""

HASHES = "md5 sha1 sha224 sha256 sha384 sha512 sha3_224 sha3_256 sha3_384 sha3_512 blake2b blake2s shake_128 shake_256"


def load_everything() -> None:
    """Touch all that is loaded lazily."""
    for name in CODECS.split():
        with contextlib.suppress(LookupError):
            codecs.lookup(name)
    for name in HASHES.split():
        with contextlib.suppress(ValueError):  # a system may forbid some
            hashlib.new(name)
    time.localtime()
    time.strptime("2000", "%Y")
    decimal.getcontext()
    zone_data()
