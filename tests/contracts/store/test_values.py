"""The small memory: values by namespace and key, until a time."""


def test_a_value_is_kept_until_it_is_replaced_or_deleted(place) -> None:
    async def scenario(store) -> None:
        assert await store.get("a", "k") is None
        await store.put("a", "k", b"\0one")
        await store.put("b", "k", b"other")
        assert (await store.get("a", "k"), await store.get("b", "k")) == (b"\0one", b"other")
        await store.put("a", "k", b"")
        assert await store.get("a", "k") == b""
        await store.delete("a", "k")
        await store.delete("a", "k")
        assert (await store.get("a", "k"), await store.get("b", "k")) == (None, b"other")

    place.run(scenario)


def test_a_value_is_gone_when_its_time_is_over(place) -> None:
    async def scenario(store) -> None:
        await store.put("a", "short", b"1", place.clock.us + 10)
        await store.put("a", "long", b"2", place.clock.us + 100)
        await store.put("a", "ever", b"3")
        place.clock.us += 9
        assert await store.get("a", "short") == b"1"
        place.clock.us += 1
        assert await store.get("a", "short") is None
        await store.put("a", "more", b"4", place.clock.us + 1)
        assert await store.get("a", "long") == b"2"
        place.clock.us += 10**12
        assert await store.get("a", "ever") == b"3"
        await store.put("a", "short", b"5")
        assert await store.get("a", "short") == b"5"

    place.run(scenario)


def test_a_value_outlives_the_store_that_put_it(place) -> None:
    async def scenario(store) -> None:
        await store.put("a", "k", b"v")
        async with place.opened() as other:
            assert await other.get("a", "k") == b"v"

    place.run(scenario)
