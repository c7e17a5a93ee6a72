"""What a worker may read: requests as they should be, requests that are not, and bytes that are none."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import msgspec
from hypothesis import strategies as st

from hookrt.actions.python_snippet.debt import KINDS, SPENT
from hookrt.actions.python_snippet.worker.wire import (
    HEADER,
    MAX_CALL,
    MAX_REQUEST,
    Answer,
    Call,
    Request,
    decode_answer,
    decode_call,
)
from sandbox_corpus.fuzz.frames import VALUES, pack
from sandbox_corpus.fuzz.hunt import GRANTS
from sandbox_corpus.fuzz.nursery import Nursery, Nursling, WorkerGoneError

CODES = {
    "result = 7": "done",
    "def run(event, ctx):\n    return 7": "done",
    "result = 1 / 0": "error",
    "import os\nresult = 1": "denied",
    "x = (": "rejected",
    "result = {1}": "bad_result",
    "result = 'x' * 10000": "bad_result",
    "result = print('x' * 10000)": "output_limited",
    "while True: pass\nresult = 1": "timeout",
    "result = 'x' * 10**9": "memory",
    "def run(event, ctx): return run(event, ctx)": "error",
    "result = ctx.state.get('a')": "",
    "result = ctx.http.get('https://a.example/')": "",
    "result = [ctx.secrets.A, ctx.state.set('a', 1), ctx.emit('A', {})]": "",
}
"""Snippets, and the kind of the answer; those without one ask something of the service first."""

OUTPUT, RESULT = 4096, 4096
PATIENCE = 10.0
"""Seconds that a worker may take for all that it is told, of which it takes hundredths."""

ROOM = RESULT + 6 * OUTPUT + 64 * 1024
_KEYS = st.sampled_from([*Request.__struct_fields__, "x"])
_IDS = st.integers(0, 2**64 - 1).map(lambda number: f"{number:016x}")


@dataclass(frozen=True, slots=True)
class Told:
    """Bytes for a worker; `id` and `kind` of the answer that they must have, when they are an honest request."""

    data: bytes
    id: str = ""
    kind: str = ""


def _request(asked: str, code: str, granted: bool = False) -> dict[str, Any]:
    """A request as the service sends it."""
    return {
        "id": asked,
        "hash": f"{len(code)}{code[:20]}",
        "code": code,
        "check": False,
        "event": {"a": [1]},
        "context": {"hook": "h"},
        "grants": GRANTS if granted else {},
        "timeout": 0.05,
        "output": OUTPUT,
        "result": RESULT,
    }


def _in_good_time(asked: str, code: str) -> dict[str, Any]:
    """A request that a busy machine answers in time, too, if it can be answered at all."""
    request = _request(asked, code)
    return request if CODES[code] == "timeout" else {**request, "timeout": PATIENCE}


_HONEST = st.builds(
    lambda asked, code: Told(pack(json.dumps(_in_good_time(asked, code)).encode()), asked, CODES[code]),
    _IDS,
    st.sampled_from([code for code, kind in CODES.items() if kind]),
)
_DICTS = st.builds(_request, _IDS, st.sampled_from(list(CODES)), st.booleans())
_REPLIES = st.fixed_dictionaries(
    {"id": _IDS, "kind": st.sampled_from(["value", "failed", "refused", "timeout", "x"])}, optional={"value": VALUES}
)
_ALTERED = st.builds(lambda one, key, value: {**one, key: value}, _DICTS, _KEYS, VALUES)
_LACKING = st.builds(lambda one, key: {name: each for name, each in one.items() if name != key}, _DICTS, _KEYS)
_BODIES = (
    (_DICTS | _ALTERED | _LACKING | _REPLIES | VALUES).map(lambda one: json.dumps(one).encode())
    | st.binary(max_size=60)
    | st.builds(
        lambda one, deep: json.dumps(one).encode()[:-1] + b',"event":' + b"[" * deep + b"]" * deep + b"}",
        _DICTS,
        st.integers(1, 90_000),
    )
    | st.builds(lambda one, cut: json.dumps(one).encode()[:cut], _DICTS, st.integers(0, 200))
    | st.builds(
        lambda one, size: json.dumps({**one, "event": "a" * size}).encode(), _DICTS, st.sampled_from([10**5, 3 * 10**6])
    )
)
_LIES = st.sampled_from([-3, -1, 1, 4, 1000, MAX_REQUEST, 2**31])
_OTHERS = (
    _BODIES.map(lambda body: Told(pack(body)))
    | st.builds(lambda body, lie: Told(HEADER.pack(max(0, len(body) + lie)) + body), _BODIES, _LIES)
    | st.builds(lambda body, cut: Told(pack(body)[:cut]), _BODIES, st.integers(0, 100))
    | st.binary(max_size=30).map(Told)
)
TOLD = st.lists(_HONEST, max_size=2).flatmap(
    lambda first: st.lists(_OTHERS | _HONEST, max_size=3).map(lambda rest: first + rest)
)
"""What one worker is told before its socket is closed for it."""


def tell(nursery: Nursery, told: list[Told], hole: str = "", piece: int = 0) -> list[str]:
    """What a worker did that it must not, when it was told this; nothing when all is well."""
    worker = nursery.fork("guarded", hole)
    worker.socket.settimeout(PATIENCE)
    try:
        said = _converse(worker, told, piece)
    except TimeoutError:
        return ["the worker neither answered nor ended"]
    except (WorkerGoneError, OSError) as error:
        return [f"the worker sent half a frame: {error!r}"]
    finally:
        worker.kill()
    return _judge(told, said)


def _converse(worker: Nursling, told: list[Told], piece: int) -> list[bytes]:
    """Say all of it, close this direction, and hear the worker out."""
    data = b"".join(each.data for each in told)
    try:
        for start in range(0, min(len(data), 64 * piece) if piece else 0, piece or 1):
            worker.send(data[start : start + piece])
        worker.send(data[64 * piece :] if piece else data)
        worker.socket.shutdown(1)
    except (WorkerGoneError, OSError):
        pass  # it ended before it had read all
    said = []
    while (body := worker.receive_or_end()) is not None:
        said.append(body)
    return said


def _judge(told: list[Told], said: list[bytes]) -> list[str]:
    findings = []
    answers = [body for body in said if not _is_call(body)]
    asked = [one for each in told for one in _requests(each.data)]
    ids = [_id(body) for body in answers]
    if [one for one in ids if one not in asked] or len(ids) > len(asked):
        findings.append(f"the worker answered {ids}, and was asked {asked}")
    findings += [
        f"an answer of {len(body)} bytes" for body in answers if len(body) > ROOM and len(told) == 1 and told[0].kind
    ]
    findings += [f"a call of {len(body)} bytes" for body in said if _is_call(body) and len(body) > MAX_CALL]
    for each, body in zip(told, [*answers, *[b""] * len(told)], strict=False):
        if not each.kind:  # from here on anything may have been understood
            break
        kind = decode_answer(body).kind if _id(body) == each.id else "not given"
        if kind != each.kind:
            findings.append(f"the answer to {each.data[4:200]!r} is {kind}, not {each.kind}")
        if each.kind in SPENT:
            break
    return findings


def _requests(data: bytes) -> list[str]:
    """The ids of the requests in these bytes, as far as they are any."""
    found = []
    while len(data) >= HEADER.size:
        (length,) = HEADER.unpack_from(data)
        body, data = data[HEADER.size : HEADER.size + length], data[HEADER.size + length :]
        try:
            one = json.loads(body)
        except (ValueError, RecursionError):
            found += [body.split(b'"id": "')[1][:16].decode("latin-1")] if b'"id": "' in body else []
            continue
        if isinstance(one, dict) and isinstance(one.get("id"), str):
            found.append(one["id"])
    return found


def _is_call(body: bytes) -> bool:
    try:
        return bool(msgspec.convert(decode_call(body), Call).kind == "call")
    except msgspec.MsgspecError:
        return False


def _id(body: bytes) -> str:
    try:
        answer: Answer = decode_answer(body)
    except msgspec.MsgspecError:
        return f"no answer: {body[:100]!r}"
    return answer.id if answer.kind in KINDS else f"the kind {answer.kind}"
