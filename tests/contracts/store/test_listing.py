"""What people ask for: lists, counts and figures."""

import pytest

from hookrt.errors import UsageError
from hookrt.model.delivery import Status
from hookrt.store.contract import HOUR_US, DeliveryQuery, EventQuery, HookStats

OPEN = (Status.PENDING, Status.RUNNING, Status.WAITING, Status.HELD)


async def fill(store, place, count: int) -> None:
    """`count` events, each with one delivery: hooks and statuses in turn, times one second apart."""
    statuses = list(Status)
    for n in range(count):
        status = statuses[n % 7]
        lease = None if status in {Status.PENDING, Status.HELD} else place.lease()
        held = status is Status.HELD
        new = place.delivery(f"d{n:03}", hook=f"hook{n % 2}", lease=lease, held=held)
        await store.save(place.event(f"e{n % 10}", new, source=f"s{n // 10}", type=f"T{n % 3}"))
        if lease and status is not Status.RUNNING:
            await store.record(place.recording(new.id, lease.token, status, reason=status.value))
        place.clock.us += 1_000_000


async def all_pages(call, query_type, **filters):
    found, cursor, pages = [], None, 0
    while True:
        page = await call(query_type(cursor=cursor, limit=4, **filters))
        found += page.items
        pages += 1
        assert len(page.items) <= 4
        assert (page.next is None) or page.items
        if page.next is None:
            return found, pages
        cursor = page.next


DELIVERY_FILTERS = [
    {},
    {"hook": "hook1"},
    {"hook": "none"},
    *({"statuses": (status,)} for status in Status),
    {"statuses": OPEN},
    {"statuses": (Status.DEAD, Status.SUCCEEDED, Status.DEAD)},
    *({"hook": "hook0", "statuses": (status,)} for status in Status),
    {"hook": "hook1", "statuses": OPEN},
    {"event_id": "e3"},
    {"event_id": "e3", "event_source": "s1"},
    {"event_source": "s2"},
    {"event_id": "e3", "hook": "hook1", "statuses": tuple(Status)},
    {"reason": "dead"},
    {"reason": "dead", "statuses": (Status.DEAD,), "hook": "hook1"},
]


@pytest.mark.parametrize("filters", DELIVERY_FILTERS, ids=str)
def test_deliveries_are_listed_newest_first_page_by_page(place, filters) -> None:
    async def scenario(store) -> None:
        await fill(store, place, 42)
        every, _ = await all_pages(store.deliveries, DeliveryQuery)
        assert [one.id for one in every] == [f"d{n:03}" for n in reversed(range(42))]
        wanted = [
            one
            for one in every
            if all(getattr(one, name) == value for name, value in filters.items() if name != "statuses")
            and one.status in filters.get("statuses", tuple(Status))
        ]
        found, pages = await all_pages(store.deliveries, DeliveryQuery, **filters)
        assert found == wanted
        assert pages == max(1, -(-len(wanted) // 4))

    place.run(scenario)


@pytest.mark.parametrize(
    "filters",
    [{}, {"type": "T1"}, {"source": "s1"}, {"id": "e3"}, {"id": "e3", "source": "s2"}, {"id": "e3", "type": "T0"},
     {"type": "T2", "source": "s0"}, {"type": "none"}],
    ids=str,
)  # fmt: skip
def test_events_are_listed_newest_first_page_by_page(place, filters) -> None:
    async def scenario(store) -> None:
        await fill(store, place, 30)
        every, _ = await all_pages(store.events, EventQuery)
        assert [(one.event.source, one.event.id) for one in every] == [
            (f"s{n // 10}", f"e{n % 10}") for n in reversed(range(30))
        ]
        assert all(one.deliveries == () for one in every)
        found, _ = await all_pages(store.events, EventQuery, **filters)
        assert found == [
            one for one in every if all(getattr(one.event, name) == value for name, value in filters.items())
        ]

    place.run(scenario)


def test_lists_can_be_bounded_in_time(place) -> None:
    async def scenario(store) -> None:
        start = place.clock.us
        await fill(store, place, 10)
        since, until = start + 3_000_000, start + 6_000_000
        found, _ = await all_pages(store.deliveries, DeliveryQuery, since_us=since, until_us=until)
        assert [one.id for one in found] == ["d005", "d004", "d003"]
        events, _ = await all_pages(store.events, EventQuery, since_us=since, until_us=until)
        assert [one.event.id for one in events] == ["e5", "e4", "e3"]

    place.run(scenario)


def test_a_page_goes_on_where_the_last_ended_whatever_came_since(place) -> None:
    async def scenario(store) -> None:
        await fill(store, place, 6)
        page = await store.deliveries(DeliveryQuery(limit=3))
        await store.save(place.event("later", "later"))
        rest = await store.deliveries(DeliveryQuery(limit=3, cursor=page.next))
        assert [one.id for one in (*page.items, *rest.items)] == [f"d{n:03}" for n in reversed(range(6))]

    place.run(scenario)


@pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "9" * 30, "1; DROP TABLE events", "٣"])
def test_a_wrong_cursor_is_the_callers_mistake(place, cursor) -> None:
    async def scenario(store) -> None:
        with pytest.raises(UsageError, match="no cursor"):
            await store.deliveries(DeliveryQuery(cursor=cursor))
        with pytest.raises(UsageError, match="no cursor"):
            await store.events(EventQuery(cursor=cursor))

    place.run(scenario)


def test_a_limit_is_at_least_one_and_bounded(place) -> None:
    async def scenario(store) -> None:
        await store.save_all([place.event(f"e{n}", f"d{n}") for n in range(1_001)])
        assert len((await store.deliveries(DeliveryQuery(limit=0))).items) == 1
        page = await store.events(EventQuery(limit=10**9))
        assert (len(page.items), page.next is None) == (1_000, False)

    place.run(scenario)


def test_an_event_shows_its_deliveries_oldest_first(place) -> None:
    async def scenario(store) -> None:
        await store.save(place.event("e1", "b", "a", "c"))
        assert [one.id for one in (await store.event("http", "e1")).deliveries] == ["b", "a", "c"]
        assert await store.delivery("unknown") is None

    place.run(scenario)


def test_counts_say_how_many_there_are_in_each_status(place) -> None:
    async def scenario(store) -> None:
        empty = await store.counts()
        assert all(empty[status] == 0 for status in OPEN)
        await fill(store, place, 15)
        listed, _ = await all_pages(store.deliveries, DeliveryQuery)
        counts = await store.counts()
        for status in OPEN:
            assert counts[status] == sum(one.status is status for one in listed)
        claimed = await store.claim_due(place.claim("other", room=1))
        assert (await store.counts())[Status.PENDING] == counts[Status.PENDING] - len(claimed)

    place.run(scenario)


def test_counts_agree_among_openers(place) -> None:
    async def scenario(store) -> None:
        async with place.opened() as other:
            await store.save(place.event("e1", "d1"))
            await other.save(place.event("e2", "d2", "d3"))
            assert (await store.counts())[Status.PENDING] == (await other.counts())[Status.PENDING] == 3

    place.run(scenario)


def test_figures_of_a_hook_are_kept_by_hour(place) -> None:
    async def scenario(store) -> None:
        assert await store.hook_stats("welcome", 0) == HookStats()
        leases = [place.lease() for _ in range(5)]
        made = [place.delivery(f"d{n}", lease=lease) for n, lease in enumerate(leases)]
        await store.save(place.event("e1", *made, "open", place.delivery("held", held=True)))
        first, second = place.clock.us, place.clock.us + 2 * HOUR_US
        ends = [
            (Status.SUCCEEDED, "done", first),
            (Status.DEAD, "reject", first + 1),
            (Status.WAITING, "retry", first + 2),
            (Status.SUCCEEDED, "done", second),
            (Status.DEAD, None, second + 1),
        ]
        for n, (status, outcome, at_us) in enumerate(ends):
            attempt = place.attempt(outcome=outcome) if outcome else None
            await store.record(place.recording(f"d{n}", leases[n].token, status, at_us=at_us, attempt=attempt))
        assert await store.hook_stats("welcome", first - first % HOUR_US) == HookStats(
            succeeded=2, dead=2, pending=2, attempts=4, last_success_us=second, last_failure_us=second + 1, held=1
        )
        assert await store.hook_stats("welcome", first) == await store.hook_stats("welcome", first - first % HOUR_US)
        assert await store.hook_stats("welcome", first + HOUR_US) == HookStats(
            succeeded=1, dead=1, pending=2, attempts=1, last_success_us=second, last_failure_us=second + 1, held=1
        )
        assert await store.hook_stats("other", 0) == HookStats()

    place.run(scenario)
