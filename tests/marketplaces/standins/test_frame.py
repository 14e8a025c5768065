"""The frame of the stand-ins: scripted faults as a client sees them on a real socket, and the log of calls."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from starlette.responses import JSONResponse, Response

from apps.marketplaces.standins.faults import BadFault, Fault, FaultBook, Kind, parse_fault
from apps.marketplaces.standins.frame import Frame, Imitated, Incoming, StandIn
from apps.marketplaces.standins.server import serving

pytestmark = pytest.mark.flow

SET = "shop:/price"
GET = "shop:/prices"


class Shop:
    """An API small enough to see what a fault did: one price, set and read."""

    def __init__(self) -> None:
        self.price = 100

    async def set_price(self, call: Incoming) -> Response:
        if not call.suffers(Kind.NO_EFFECT):
            self.price = call.fields["price"]
        return JSONResponse({"updated": True})

    async def get_prices(self, call: Incoming) -> Response:
        return JSONResponse({"price": self.price, "note": "ж" * 20})

    def stand_in(self) -> StandIn:
        return StandIn(
            name="shop",
            routes=(
                Imitated(SET, "/price", self.set_price, plays=frozenset({Kind.NO_EFFECT})),
                Imitated(GET, "/prices", self.get_prices, methods=("GET",)),
            ),
            error=_error,
        )


def _error(status: int, retry_after: int | None) -> Response:
    headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
    return JSONResponse({"message": f"shop says {status}"}, status_code=status, headers=headers)


class Client:
    """The shop over HTTP, with a script of faults."""

    def __init__(self, url: str, shop: Shop) -> None:
        self.url, self.shop = url, shop

    def script(self, route: str, kind: str, **more: object) -> None:
        answer = requests.post(f"{self.url}/_faults", json={"route": route, "kind": kind, **more}, timeout=60)
        assert answer.status_code == 200, answer.text

    def set(self, price: int, *, timeout: float = 5) -> requests.Response:
        return requests.post(f"{self.url}/price", json={"price": price}, headers={"Api-Key": "k-1"}, timeout=timeout)

    def get(self, *, timeout: float = 5) -> requests.Response:
        return requests.get(f"{self.url}/prices", timeout=timeout)

    def calls(self, route: str = "*") -> list[dict[str, object]]:
        rows: list[dict[str, object]] = requests.get(f"{self.url}/_calls", params={"route": route}, timeout=60).json()
        return rows


@pytest.fixture
def client() -> Iterator[Client]:
    shop = Shop()
    with serving(Frame([shop.stand_in()])) as url:
        yield Client(url, shop)


def test_a_429_names_its_wait_only_when_told_to(client: Client) -> None:
    client.script(SET, "429", retry_after=7)
    client.script(SET, "429")
    assert client.set(90).headers["Retry-After"] == "7"
    assert "Retry-After" not in client.set(90).headers
    assert client.shop.price == 100


@pytest.mark.parametrize(("kind", "price"), [("500", 100), ("502_after_apply", 90)])
def test_an_error_comes_in_the_words_of_the_api(client: Client, kind: str, price: int) -> None:
    client.script(SET, kind)
    assert client.set(90).json() == {"message": f"shop says {kind[:3]}"}
    assert client.shop.price == price


@pytest.mark.parametrize(("kind", "price"), [("hang", 100), ("hang_after_apply", 90)])
def test_a_hanging_call_runs_into_the_clients_timeout(client: Client, kind: str, price: int) -> None:
    client.script(SET, kind)
    with pytest.raises(requests.ReadTimeout):
        client.set(90, timeout=0.3)
    assert client.shop.price == price
    assert client.calls(SET)[0]["status"] is None


@pytest.mark.parametrize(("kind", "price"), [("reset", 100), ("reset_after_apply", 90), ("hang", 100)])
def test_a_reset_breaks_the_connection(client: Client, kind: str, price: int) -> None:
    client.script(SET, kind, delay=0.1)
    with pytest.raises(requests.ConnectionError, match=r"(?i)reset"):
        client.set(90)
    assert client.shop.price == price


def test_a_truncated_answer_was_applied_and_is_not_json(client: Client) -> None:
    client.script(SET, "truncated_json")
    answer = client.set(90)
    assert answer.status_code == 200
    assert answer.text == '{"update'
    assert client.shop.price == 90


def test_an_html_page_comes_instead_of_an_answer(client: Client) -> None:
    client.script(SET, "html")
    answer = client.set(90)
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert client.shop.price == 100


def test_a_wrong_content_type_covers_a_true_answer(client: Client) -> None:
    client.script(GET, "wrong_content_type")
    answer = client.get()
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.json()["price"] == 100


def test_a_dripping_answer_outlives_any_read_timeout(client: Client) -> None:
    client.script(GET, "drip", delay=0.01)
    started = time.monotonic()
    assert client.get(timeout=0.5).json()["note"] == "ж" * 20
    assert time.monotonic() - started > 0.5


def test_a_semantic_fault_is_handed_to_the_endpoint(client: Client) -> None:
    client.script(SET, "no_effect")
    assert client.set(90).json() == {"updated": True}
    assert client.shop.price == 100
    client.set(80)
    assert client.shop.price == 80


def test_a_script_is_played_in_its_order(client: Client) -> None:
    client.script(SET, "500", after_calls=1, times=2)
    client.script(SET, "502_after_apply")
    assert [client.set(90).status_code for _ in range(5)] == [200, 500, 500, 502, 200]
    assert [call["fault"] for call in client.calls(SET)] == [None, "500", "500", "502_after_apply", None]
    assert requests.get(f"{client.url}/_faults", timeout=60).json() == []


def test_a_fault_without_times_stays_until_it_is_taken_away(client: Client) -> None:
    client.script("shop:*", "500", times=None)
    assert {client.get().status_code, client.set(1).status_code, client.get().status_code} == {500}
    requests.delete(f"{client.url}/_faults", timeout=60)
    assert client.get().status_code == 200


def test_the_log_holds_the_request_with_its_secrets_masked(client: Client) -> None:
    client.set(90)
    (call,) = client.calls(SET)
    assert call["request"] == {"price": 90}
    assert call["headers"] == {"api-key": "***"}
    assert call["status"] == 200
    assert client.calls("other:*") == []


def test_the_log_says_when_a_body_was_unreadable(client: Client) -> None:
    client.script(SET, "500")
    requests.post(f"{client.url}/price", data=b"{oops", timeout=60)
    assert "not JSON" in str(client.calls(SET)[0]["request"])


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"route": SET, "kind": "501"}, "kind: '501' is not a valid Kind; accepted: 429, 500"),
        ({"route": "shop:/nothing", "kind": "500"}, "route: no route is called 'shop:/nothing'"),
        ({"route": GET, "kind": "no_effect"}, "does not play 'no_effect'"),
        ({"kind": "500"}, "route: the name"),
        ({"route": SET, "kind": "500", "times": 0}, "times: a whole number from 1, not 0"),
        ({"route": SET, "kind": "hang", "delay": "long"}, "delay: seconds from 0"),
        ({"route": SET, "kind": "500", "often": 3}, "unknown field 'often'"),
        (["500"], "a fault is an object"),
    ],
)
def test_it_refuses_a_fault_that_could_never_happen(client: Client, fault: object, said: str) -> None:
    answer = requests.post(f"{client.url}/_faults", json=fault, timeout=60)
    assert answer.status_code == 400
    assert said in answer.json()["error"]


def test_a_stop_does_not_wait_for_a_hanging_call() -> None:
    started = time.monotonic()
    with serving(Frame([Shop().stand_in()])) as url:
        client = Client(url, Shop())
        client.script(SET, "hang")
        pool = ThreadPoolExecutor(1)
        hanging = pool.submit(client.set, 90, timeout=60)
        while not client.calls(SET):
            time.sleep(0.01)
    assert isinstance(hanging.exception(50), requests.ConnectionError)
    assert time.monotonic() - started < 50


def test_two_routes_cannot_share_a_name() -> None:
    shop = Shop().stand_in()
    with pytest.raises(ValueError, match="share a name: shop:/price"):
        Frame([shop, shop])


def test_claims_of_many_threads_are_counted_once() -> None:
    book = FaultBook({SET: frozenset()})
    book.add(Fault(SET, Kind.SERVER_ERROR, times=50))
    claimed: list[Fault | None] = []
    threads = [threading.Thread(target=lambda: claimed.extend(book.claim(SET) for _ in range(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([fault for fault in claimed if fault]) == 50


def test_a_delay_has_a_sensible_default() -> None:
    assert parse_fault({"route": SET, "kind": "drip"}).delay == 1.0
    with pytest.raises(BadFault, match="a fault is an object"):
        parse_fault("500")
