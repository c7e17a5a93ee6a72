"""Run inside a network namespace of its own, in which every address is this machine: who really connects to where.

All of the Internet, the private networks and the metadata services are here, on the loopback device, with one listener
for all of them and a name server of our own. It tells, as JSON, for each URL of the corpus where the bare HTTP client
connects, what the guard says, and where the guarded client connects; and the same for names that change under way.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml
from pyreqwest.client import ClientBuilder

from hookrt.egress import Egress, EgressRules
from hookrt.plugin import HttpError

CORPUS = yaml.safe_load(Path(sys.argv[1]).read_text())
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok"
PORTS = {80, 443, 8080, 6379, 2375, 8443, 988, 1900, 5432}
PUBLIC = "93.184.216.34"
connected: list[str] = []
asked: list[tuple[str, str]] = []


def make_everything_local() -> None:
    for command in ("link set lo up", "route add local 0.0.0.0/0 dev lo", "-6 route add local ::/0 dev lo"):
        subprocess.run(["ip", *command.split()], check=True, capture_output=True)


# A name server: `changing` has answers that differ from question to question.

changing: dict[str, Callable[[int], list[str]]] = {
    "flip.example.com": lambda count: [PUBLIC] if count == 0 else ["127.0.0.1"],
    "flop.example.com": lambda count: ["127.0.0.1"] if count == 0 else [PUBLIC],
    "sly.example.com": lambda count: [PUBLIC] if count == 0 else ["169.254.169.254"],
}
aliases = {"alias.example.com": "localhost", "far.example.com": "inner.example.com"}
names = {str(name): [str(one) for one in found] for name, found in CORPUS["names"].items()}
names["public.example.com"] = [PUBLIC]


def read_name(packet: bytes) -> tuple[str, int, int]:
    labels, at = [], 12
    while length := packet[at]:
        labels.append(packet[at + 1 : at + 1 + length].decode("latin-1"))
        at += 1 + length
    return ".".join(labels).lower(), struct.unpack(">H", packet[at + 1 : at + 3])[0], at + 5


def write_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def records(name: str, kind: int) -> list[tuple[str, int, bytes]]:
    if name in aliases:
        target = aliases[name]
        return [(name, 5, write_name(target)), *records(target, kind)]
    count = sum(1 for known, one in asked if known == name and one == str(kind)) - 1
    found = changing[name](count) if name in changing else names.get(name, [])
    parsed = [ipaddress.ip_address(one) for one in found]
    wanted = 4 if kind == 1 else 6
    return [(name, kind, one.packed) for one in parsed if one.version == wanted]


def answer(packet: bytes) -> bytes:
    name, kind, end = read_name(packet)
    asked.append((name, str(kind)))
    found = records(name, kind) if kind in (1, 28) else []
    known = bool(found) or name in names or name in changing or name in aliases
    head = packet[:2] + struct.pack(">HHHHH", 0x8180 if known else 0x8183, 1, len(found), 0, 0)
    rows = [write_name(one) + struct.pack(">HHIH", what, 1, 0, len(data)) + data for one, what, data in found]
    return head + packet[12:end] + b"".join(rows)


def serve_names() -> None:
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        listener = socket.socket(family, socket.SOCK_DGRAM)
        if family == socket.AF_INET6:
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            listener.setsockopt(socket.IPPROTO_IP, 8, 1)  # IP_PKTINFO: answer from the address that was asked
        listener.bind((address, 53))
        threading.Thread(target=answer_all, args=(listener,), daemon=True).start()


def answer_all(listener: socket.socket) -> None:
    while True:
        packet, control, _, sender = listener.recvmsg(4096, 256)
        with suppress(OSError, IndexError, UnicodeError):
            listener.sendmsg([answer(packet)], control, 0, sender)


async def listen() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(ipaddress.ip_address(writer.get_extra_info("sockname")[0].partition("%")[0]).compressed)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(OK)
            await writer.drain()
        writer.close()

    for port in sorted(PORTS):
        await asyncio.start_server(talk, ["0.0.0.0", "::"], port)


def seen() -> list[str]:
    found = sorted(set(connected))
    connected.clear()
    return found


async def bare(url: str) -> list[str]:
    """Where the client connects when nobody guards it."""
    with suppress(Exception):
        async with ClientBuilder().no_proxy().follow_redirects(enable=False).build() as client:
            await client.get(url).timeout(timedelta(seconds=3)).build().send()
    return seen()


async def guarded(egress: Egress, url: str, trusted: tuple[str, ...] = ()) -> str:
    try:
        await egress.http_for(trusted, 5).send("GET", url)
    except HttpError as error:
        return error.reason
    return "sent"


async def play_corpus(egress: Egress) -> dict[str, Any]:
    told = {}
    for url in [*(url for group in CORPUS["groups"] for url in group["urls"]), "http://public.example.com/"]:
        without = await bare(url)
        told[url] = {"bare": without, "verdict": await guarded(egress, url), "guarded": seen()}
    return told


async def play_names(egress: Egress) -> dict[str, Any]:
    """Names whose answers change between one question and the next, and names that only point elsewhere."""
    told = {}
    for name in (*changing, *aliases, "many.example.com"):
        asked.clear()
        verdicts = [await guarded(egress, f"http://{name}/") for _ in range(5)]
        together = await asyncio.gather(*(guarded(egress, f"http://{name}/{number}") for number in range(5)))
        count = sum(1 for known, kind in asked if (known, kind) == (name, "1"))
        told[name] = {"verdicts": sorted({*verdicts, *together}), "guarded": seen(), "asked": count}
    return told


async def main() -> None:
    make_everything_local()
    serve_names()
    await listen()
    egress = Egress(EgressRules.parse(), str)
    told = {"corpus": await play_corpus(egress), "names": await play_names(egress)}
    await egress.close()
    print(json.dumps(told))


asyncio.run(main())
