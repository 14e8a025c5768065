"""Storing many rows at once, against a real PostgreSQL."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.db import DataError, IntegrityError, connection, transaction

from apps.catalog.models import Brand, Product
from apps.common.bulk import Row, Upserted, upsert
from apps.sales.models import DailyFact
from apps.shops.models import Shop
from tests import cast
from tests.threads import at_once, wait_for_a_lock

pytestmark = pytest.mark.django_db

KEY = ("shop_id", "external_id")
COLUMNS = ("offer_id", "name", "price", "is_archived", "currency")
MONDAY = date(2026, 3, 2)


@pytest.fixture
def shop() -> Shop:
    return cast.anna().seller.shops.get()


def row(shop: Shop, number: int, *, name: str = "Mug", price: str | None = "100") -> Row:
    return (shop.pk, str(number), f"MUG-{number}", name, price and Decimal(price), False, "RUB")


def store(rows: Sequence[Row], **options: Sequence[str]) -> Upserted:
    return upsert(Product, rows, key=KEY, columns=COLUMNS, **options)


def places() -> dict[str, str]:
    """Where each product lies: a row that was written anew lies elsewhere."""
    with connection.cursor() as cursor:
        cursor.execute("select external_id, ctid::text from products order by external_id")
        return dict(cursor.fetchall())


def lockers() -> set[str]:
    """The transactions that locked or replaced a row since it was written; "0" is none."""
    with connection.cursor() as cursor:
        cursor.execute("select distinct xmax::text from products")
        return {locker for (locker,) in cursor.fetchall()}


def test_it_inserts_rows_that_are_not_there(shop: Shop) -> None:
    done = store([row(shop, number) for number in range(3)])

    assert done == Upserted(inserted=3)
    assert list(Product.objects.order_by("external_id").values_list("external_id", "name", "price")) == [
        (str(number), "Mug", Decimal("100.00")) for number in range(3)
    ]


def test_it_writes_only_rows_that_differ(shop: Shop) -> None:
    store([row(shop, number) for number in range(3)])
    before = places()

    done = store([row(shop, 0), row(shop, 1, name="Cup"), row(shop, 2)])

    assert done == Upserted(updated=1, unchanged=2)
    assert [key for key, place in places().items() if place != before[key]] == ["1"]
    assert Product.objects.get(external_id="1").name == "Cup"


def test_a_row_that_is_stored_as_it_is_is_not_locked_and_uses_up_no_id(shop: Shop) -> None:
    store([row(shop, number) for number in range(100)])

    store([row(shop, number) for number in range(100)])

    assert lockers() == {"0"}
    store([row(shop, 100)])
    first, last = (Product.objects.get(external_id=name).pk for name in ("0", "100"))
    assert last - first == 100


def test_it_tells_new_rows_from_changed_ones_and_gives_back_what_was_asked_for(shop: Shop) -> None:
    store([row(shop, 1), row(shop, 2)])

    done = store([row(shop, 1), row(shop, 2, price="90"), row(shop, 3)], returning=("external_id", "price"))

    assert (done.inserted, done.updated, done.unchanged) == (1, 1, 1)
    assert sorted(done.rows) == [("2", Decimal("90.00")), ("3", Decimal("100.00"))]


def test_of_two_rows_with_one_key_the_last_counts(shop: Shop) -> None:
    done = store([row(shop, 1, name="First"), row(shop, 2), row(shop, 1, name="Last")])

    assert done == Upserted(inserted=2, duplicates=1)
    assert Product.objects.get(external_id="1").name == "Last"


def test_a_null_erases_a_value_unless_the_column_keeps_what_is_known(shop: Shop) -> None:
    store([row(shop, 1), row(shop, 2)])

    assert store([row(shop, 1, price=None)], keep_known=("price",)) == Upserted(unchanged=1)
    assert Product.objects.get(external_id="1").price == 100
    assert store([row(shop, 2, price=None)]) == Upserted(updated=1)
    assert Product.objects.get(external_id="2").price is None


def test_a_kept_column_still_takes_another_value(shop: Shop) -> None:
    store([row(shop, 1)])

    assert store([row(shop, 1, name="Cup", price="80")], keep_known=("price",)).updated == 1
    assert Product.objects.values_list("name", "price").get(external_id="1") == ("Cup", 80)


def test_two_nulls_are_no_difference(shop: Shop) -> None:
    store([row(shop, 1, price=None)])

    assert store([row(shop, 1, price=None)]) == Upserted(unchanged=1)


def test_without_columns_rows_that_exist_stay_as_they_are(shop: Shop) -> None:
    names = [(shop.pk, "Sova"), (shop.pk, "Alto")]
    assert upsert(Brand, names, key=("shop_id", "name"), columns=()) == Upserted(inserted=2)

    done = upsert(Brand, [*names, (shop.pk, "Mirta")], key=("shop_id", "name"), columns=(), returning=("name",))

    assert (done.inserted, done.unchanged, done.rows) == (1, 2, (("Mirta",),))


def test_nothing_is_done_with_no_rows(shop: Shop) -> None:
    assert store([]) == Upserted()


@pytest.mark.parametrize(
    "name", ["", "a\tb", "line\nbreak", r"\N", r"back\slash", "“Лён” & хлопок", "x" * 500, "'); --"]
)
def test_a_text_comes_back_as_it_was(shop: Shop, name: str) -> None:
    store([row(shop, 1, name=name)])

    assert Product.objects.get().name == name
    assert store([row(shop, 1, name=name)]) == Upserted(unchanged=1)


@pytest.mark.parametrize(
    "values",
    [
        (Decimal("0.01"), True, None, datetime(2026, 3, 2, 9, 30, 15, 123456, tzinfo=ZoneInfo("Asia/Omsk"))),
        (Decimal("999999999999.99"), False, 10**15, datetime(2026, 3, 2, tzinfo=UTC)),
        (Decimal("1E+3"), False, 0, None),
    ],
)
def test_a_value_of_any_type_comes_back_as_it_was(shop: Shop, values: Row) -> None:
    columns = ("price", "is_archived", "sku", "synced_at")
    rows = [(shop.pk, "1", "MUG", "Mug", "RUB", *values)]

    for expected in (Upserted(inserted=1), Upserted(unchanged=1)):
        assert upsert(Product, rows, key=KEY, columns=("offer_id", "name", "currency", *columns)) == expected
        assert Product.objects.values_list(*columns).get() == values


def test_money_is_rounded_to_its_column_before_it_is_compared(shop: Shop) -> None:
    store([row(shop, 1, price="99.994")])

    assert Product.objects.get().price == Decimal("99.99")
    assert store([row(shop, 1, price="99.994")]) == Upserted(unchanged=1)


def test_what_does_not_fit_stores_nothing(shop: Shop) -> None:
    with pytest.raises(DataError), transaction.atomic():
        store([row(shop, 1), row(shop, 2, name="x" * 501)])
    with pytest.raises(IntegrityError), transaction.atomic():
        store([row(shop, 1), row(shop, 2, price="-1")])

    assert not Product.objects.exists()


def test_it_leaves_no_table_behind(shop: Shop) -> None:
    with transaction.atomic():
        store([row(shop, 1)])
        store([row(shop, 2)])
        assert "upsert_stage" not in connection.introspection.table_names()


def test_its_statements_can_be_logged(shop: Shop) -> None:
    connection.force_debug_cursor = True
    try:
        store([row(shop, 1)])
        assert any("copy" in query["sql"] for query in connection.queries)
    finally:
        connection.force_debug_cursor = False


@pytest.mark.django_db(transaction=True)
def test_what_another_writer_stores_in_the_meantime_is_compared_too(shop: Shop) -> None:
    has_stored = threading.Event()

    @transaction.atomic
    def first() -> Upserted:
        done = store([row(shop, 1), row(shop, 2)])
        has_stored.set()
        wait_for_a_lock()
        return done

    def second() -> Upserted:
        assert has_stored.wait(10)
        return store([row(shop, 1), row(shop, 2, name="Cup"), row(shop, 3)])

    assert at_once(first, second) == [Upserted(inserted=2), Upserted(inserted=1, updated=1, unchanged=1)]
    assert Product.objects.get(external_id="2").name == "Cup"


@pytest.mark.django_db(transaction=True)
def test_four_writers_of_the_same_rows_do_not_deadlock(shop: Shop) -> None:
    store([row(shop, number) for number in range(40)])
    products = list(Product.objects.values_list("pk", flat=True))
    failures: list[Exception] = []

    def write(seed: int) -> None:
        chance = random.Random(seed)
        rows = [(product, MONDAY + timedelta(days=day)) for product in products for day in range(25)]
        try:
            for _ in range(6):
                chance.shuffle(rows)
                facts = [(*key, chance.randrange(9), Decimal(chance.randrange(999)), 0, 0, 0, 0) for key in rows]
                columns = (
                    "units",
                    "revenue",
                    "cancelled_units",
                    "cancelled_revenue",
                    "returned_units",
                    "returned_revenue",
                )
                upsert(DailyFact, facts, key=("product_id", "day"), columns=columns)
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    writers = [threading.Thread(target=write, args=(seed,)) for seed in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)

    assert failures == []
    assert DailyFact.objects.count() == 1000


def test_a_new_table_is_known_to_the_planner_before_its_second_page(shop: Shop) -> None:
    def known_rows() -> float:
        with connection.cursor() as cursor:
            cursor.execute("select reltuples from pg_class where oid = 'products'::regclass")
            return float(cursor.fetchone()[0])

    with connection.cursor() as cursor:
        cursor.execute("truncate products cascade")
    store([row(shop, number) for number in range(30)])
    assert known_rows() < 0

    store([row(shop, number) for number in range(30, 60)])
    assert known_rows() == 30
