"""The small memory: values by namespace and key, until a time."""

import asyncio

from hookrt.store.value_contract import ValueChange, ValueChanged


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


def test_a_checked_change_takes_effect_only_where_the_value_is_as_expected(place) -> None:
    async def scenario(store) -> None:
        def change(expected, value, **more):
            return store.change_value(ValueChange("a", "k", value, checked=True, expected=expected, **more))

        assert await change(b"1", b"2") is ValueChanged.DIFFERENT
        assert await store.get("a", "k") is None
        assert await change(None, b"1") is ValueChanged.DONE
        assert await change(None, b"2") is ValueChanged.DIFFERENT
        assert await change(b"1", b"2") is ValueChanged.DONE
        assert await store.get("a", "k") == b"2"
        assert await change(b"1", None) is ValueChanged.DIFFERENT
        assert await change(b"2", None) is ValueChanged.DONE
        assert await store.get("a", "k") is None

    place.run(scenario)


def test_for_a_checked_change_what_has_expired_is_not_there(place) -> None:
    async def scenario(store) -> None:
        await store.change_value(ValueChange("a", "k", b"1", place.clock.us + 10))
        place.clock.us += 10
        changed = await store.change_value(ValueChange("a", "k", b"2", checked=True))
        assert (changed, await store.get("a", "k")) == (ValueChanged.DONE, b"2")

    place.run(scenario)


def test_of_many_checked_changes_at_once_one_takes_effect(place) -> None:
    async def scenario(store) -> None:
        async with place.opened() as other:
            changes = [ValueChange("a", "k", b"%d" % n, checked=True) for n in range(20)]
            answers = await asyncio.gather(*[(store, other)[n % 2].change_value(one) for n, one in enumerate(changes)])
            assert sorted(answers) == [ValueChanged.DIFFERENT] * 19 + [ValueChanged.DONE]
            kept = changes[answers.index(ValueChanged.DONE)].value
            assert (await store.get("a", "k"), await other.get("a", "k")) == (kept, kept)

    place.run(scenario)


def test_a_full_namespace_takes_no_new_key_and_still_changes_the_old_ones(place) -> None:
    async def scenario(store) -> None:
        def change(namespace, key, value, expires_us=None):
            return store.change_value(ValueChange(namespace, key, value, expires_us, most=2))

        await change("a", "short", b"1", place.clock.us + 10)
        await change("a", "long", b"1")
        assert await change("a", "more", b"1") is ValueChanged.FULL
        assert await store.get("a", "more") is None
        assert await change("b", "more", b"1") is ValueChanged.DONE
        assert await change("a", "long", b"2") is ValueChanged.DONE
        place.clock.us += 10
        assert await change("a", "more", b"1") is ValueChanged.DONE
        assert await change("a", "short", b"1") is ValueChanged.FULL
        assert await change("a", "long", None) is ValueChanged.DONE
        assert await change("a", "short", b"1") is ValueChanged.DONE

    place.run(scenario)
