"""`/v1/config`: whether what runs is what the files say; the problems only for those who may read."""

import asyncio

from hookrt.runtime import Runtime
from hookrt.web.auth import Token

HOOKS = "hooks: {a: {on: A, steps: [{log: hello}]}}\n"
READER = Token.make("reader", ["read"])
EMITTER = Token.make("emitter", ["emit"])


def test_problems_are_shown_to_readers_only(serving, store_url, tmp_path):
    async def run():
        file = tmp_path / "hooks.yaml"
        file.write_text(HOOKS)
        runtime = Runtime.from_file(file, store=store_url, env={})
        async with serving(runtime, tokens=(READER, EMITTER)) as (client, _, _):
            reads = {"authorization": "Bearer reader"}
            shown = (await client.get("/v1/config", headers=reads)).json()
            assert shown == {"current": True, "files": [str(file)], "hooks": 1, "last_reload": None}
            file.write_text(HOOKS.replace("steps", "stepz"))
            await runtime.reload()
            shown = (await client.get("/v1/config", headers=reads)).json()
            assert shown["current"] is False
            assert "stepz" in shown["last_reload"]["problems"][0]["line_text"]
            assert (await client.get("/v1/config")).status_code == 401
            assert (await client.get("/v1/config", headers={"authorization": "Bearer emitter"})).status_code == 403
            ready = await client.get("/readyz")
            assert ready.status_code == 200
            assert ready.json() == {"ready": True, "delivering": True, "configuration": "rejected"}

    asyncio.run(run())


def test_a_runtime_without_files_has_a_configuration_too(serving):
    async def run():
        async with serving() as (client, _, _):
            shown = (await client.get("/v1/config")).json()
            assert shown == {"current": True, "files": [], "hooks": 0, "last_reload": None}

    asyncio.run(run())
