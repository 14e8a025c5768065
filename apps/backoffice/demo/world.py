"""The demo's side of the stand-ins: the world's clock and truth, and the chats of the demo's people."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple

import requests

TIMEOUT_SECONDS = 30
START_SECONDS = 60


@dataclass(frozen=True)
class Button:
    label: str
    data: str


@dataclass(frozen=True)
class Message:
    """A message as its chat shows it now."""

    id: int
    text: str
    rows: tuple[tuple[Button, ...], ...]

    @property
    def buttons(self) -> tuple[Button, ...]:
        return tuple(button for row in self.rows for button in row)


class Truth(NamedTuple):
    """What the world knows of one product and day: units and revenue ordered, how many of them ended how, and what
    was cancelled or came back on the day itself."""

    units: int
    revenue: Decimal
    cancelled_units: int
    returned_units: int
    cancellations: int
    returns: int


class World:
    """One world by its address."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")
        self._session = requests.Session()

    def wait_for_answer(self) -> None:
        """It starts at the same time as whoever asks it. Raises `requests.ConnectionError` when it does not come."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.today()
            except requests.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
            else:
                return

    def today(self) -> date:
        return date.fromisoformat(self._get("/world/clock")["date"])

    def next_day(self) -> date:
        return date.fromisoformat(self._post("/world/next-day")["date"])

    def costs(self) -> list[tuple[str, Decimal]]:
        """The seller's own list of unit costs by offer id, without the products whose cost they do not know."""
        return [(row["offer_id"], Decimal(str(row["cost"]))) for row in self._get("/world/costs") if row["cost"]]

    def price_of(self, product_id: str) -> Decimal:
        """The price that the marketplace shows now."""
        rows = self._get("/world/prices")["prices"]
        return next(Decimal(row["price"]) for row in rows if str(row["product_id"]) == product_id)

    def ledger(self, first: date, last: date) -> dict[tuple[str, date], Truth]:
        """The truth by product id and day, both days inclusive."""
        pages = self._get("/world/ledger", **{"from": first.isoformat(), "to": last.isoformat()})["days"]
        return {
            (str(row["product_id"]), date.fromisoformat(page["day"])): Truth(
                row["units"],
                Decimal(row["revenue"]),
                row["cancelled_units"],
                row["returned_units"],
                row["cancellations"],
                row["returns"],
            )
            for page in pages
            for row in page["rows"]
        }

    def edit_crm_order(self, order_id: str, **fields: object) -> None:
        """Change an order as somebody does in the CRM; like there, `updated_at` does not move."""
        self._post(f"/keycrm/_orders/{order_id}", **fields)

    def notice(self, text: str, kind: str, on: date) -> None:
        """A line on the chat page: `kind` is progress, ready or trouble."""
        self._post("/_telegram/notice", text=text, kind=kind, on=on.isoformat())

    def put_person(self, person_id: int, name: str, language: str) -> None:
        self._post("/_telegram/people", id=person_id, first_name=name, language_code=language)

    def say(self, person_id: int, text: str) -> None:
        self._post(f"/_telegram/chats/{person_id}/messages", text=text)

    def press(self, person_id: int, message: Message, button: Button) -> None:
        self._post(f"/_telegram/chats/{person_id}/presses", message_id=message.id, data=button.data)

    def messages(self, person_id: int) -> list[Message]:
        rows = self._get(f"/_telegram/chats/{person_id}/messages")
        return [Message(row["id"], row["text"], _keyboard(row["buttons"])) for row in rows]

    def _get(self, path: str, **query: str) -> Any:
        return self._answer(self._session.get(f"{self._url}{path}", params=query, timeout=TIMEOUT_SECONDS))

    def _post(self, path: str, **body: object) -> Any:
        return self._answer(self._session.post(f"{self._url}{path}", json=body, timeout=TIMEOUT_SECONDS))

    @staticmethod
    def _answer(response: requests.Response) -> Any:
        if response.status_code >= 400:
            raise RuntimeError(f"the stand-in answers {response.status_code}: {response.text[:300]}")
        return response.json()


def _keyboard(rows: list[list[dict[str, str]]]) -> tuple[tuple[Button, ...], ...]:
    return tuple(tuple(Button(button["text"], button.get("callback_data", "")) for button in row) for row in rows)
