"""The imitated Seller API as a stand-in of the frame: which paths there are, and what each of them plays."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from apps.marketplaces.standins.faults import Kind
from apps.marketplaces.standins.frame import Endpoint, Imitated, Incoming, StandIn
from apps.marketplaces.standins.ozon_seller import (
    accruals,
    analytics,
    cabinet,
    clusters,
    gate,
    postings,
    price_import,
    prices,
    products,
    promotions,
    returns,
    stocks,
)
from apps.marketplaces.standins.ozon_seller.ask import Ask
from apps.marketplaces.standins.ozon_seller.gate import Account, Gate, Refused, invalid
from apps.marketplaces.standins.ozon_seller.odd import spoiled

LIST_FAULTS = frozenset({Kind.HALF_PAGE, Kind.REPEATED_CURSOR, Kind.EMPTY_200, Kind.ODD_ROW, Kind.REVOKED_KEY})
PRICE_FAULTS = LIST_FAULTS | {Kind.KOPECKS}
READ_FAULTS = frozenset({Kind.EMPTY_200, Kind.REVOKED_KEY})
WRITE_FAULTS = frozenset({Kind.NO_EFFECT, Kind.LATE_APPLY, Kind.REVOKED_KEY})
CLUSTER_FAULTS = frozenset({Kind.EMPTY_200, Kind.ODD_ROW, Kind.REVOKED_KEY})
TIMER_FAULTS = frozenset({Kind.NO_EFFECT, Kind.REVOKED_KEY})
KEY_FAULTS = frozenset({Kind.REVOKED_KEY})


@dataclass(frozen=True)
class Method:
    """`message` is the name of the request in OZON's validation texts."""

    path: str
    message: str
    answer: Callable[[Ask], dict[str, Any]]
    plays: frozenset[Kind]
    verb: str = "POST"


SWITCHED_OFF = (
    *("/v2/posting/fbo/list", "/v3/posting/fbs/list", "/v3/posting/fbs/unfulfilled/list"),
    *("/v3/finance/transaction/list", "/v3/finance/transaction/totals"),
    *("/v1/actions/candidates", "/v1/actions/products", "/v1/actions/products/activate"),
    *("/v1/actions/products/deactivate", "/v1/warehouse/list", "/v1/delivery-method/list"),
    *("/v1/product/info/stocks-by-warehouse/fbs", "/v2/product/list", "/v2/product/info", "/v2/product/info/list"),
    *("/v4/product/info/prices", "/v3/product/info/stocks", "/v3/products/info/attributes"),
)


class OzonSeller:
    """Every shop behind one address; the key decides whose world is answered from."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.gate = Gate(accounts)
        self.methods = (
            Method("/v3/product/list", "GetProductListRequest", products.product_list, LIST_FAULTS),
            Method("/v3/product/info/list", "GetProductInfoListRequest", products.product_info_list, READ_FAULTS),
            Method("/v4/product/info/attributes", "ProductAttributes", products.product_attributes, LIST_FAULTS),
            Method("/v1/description-category/tree", "GetTreeRequest", products.category_tree, READ_FAULTS),
            Method("/v5/product/info/prices", "GetProductInfoPricesRequest", prices.product_prices, PRICE_FAULTS),
            Method("/v1/product/action/timer/status", "ActionTimerStatus", prices.price_timers, READ_FAULTS),
            Method("/v1/product/action/timer/update", "ActionTimerUpdate", prices.renew_price_timers, TIMER_FAULTS),
            Method("/v4/product/info/stocks", "GetProductInfoStocksRequest", stocks.fbs_stocks, LIST_FAULTS),
            Method("/v1/product/info/stocks-by-warehouse/fbo", "StocksByWarehouseFbo", stocks.fbo_stocks, LIST_FAULTS),
            Method("/v1/analytics/stocks", "AnalyticsStocksRequest", clusters.cluster_stocks, CLUSTER_FAULTS),
            Method("/v2/warehouse/list", "WarehouseListRequest", stocks.warehouse_list, LIST_FAULTS),
            Method(
                "/v1/actions", "GetSellerActionsRequest", promotions.promotions, READ_FAULTS | {Kind.ODD_ROW}, "GET"
            ),
            Method("/v2/actions/products", "ActionProductsRequest", promotions.promotion_products, LIST_FAULTS),
            Method("/v3/posting/fbo/list", "PostingFboListRequest", postings.fbo_postings, LIST_FAULTS),
            Method("/v4/posting/fbs/list", "PostingFbsListRequest", postings.fbs_postings, LIST_FAULTS),
            Method("/v1/returns/list", "ReturnsListRequest", returns.returns, LIST_FAULTS),
            Method("/v1/finance/accrual/by-day", "AccrualByDayRequest", accruals.accruals, LIST_FAULTS),
            Method("/v1/finance/accrual/types", "AccrualTypesRequest", accruals.accrual_types, READ_FAULTS),
            Method("/v1/analytics/data", "AnalyticsGetDataRequest", analytics.analytics_data, READ_FAULTS),
            Method("/v1/roles", "RolesByTokenRequest", self._roles, KEY_FAULTS),
            Method("/v1/seller/info", "SellerInfoRequest", cabinet.seller_info, KEY_FAULTS),
            Method(
                "/v1/product/import/prices", "ImportProductsPricesRequest", price_import.import_prices, WRITE_FAULTS
            ),
        )

    def stand_in(self) -> StandIn:
        return StandIn(
            name="ozon",
            routes=(
                *(
                    Imitated(
                        f"ozon:{method.path}", method.path, self._endpoint(method), (method.verb,), plays=method.plays
                    )
                    for method in self.methods
                ),
                *(Imitated(f"ozon:{path}", path, self._obsolete) for path in SWITCHED_OFF),
                Imitated("ozon:no such method", "/v{version:int}/{rest:path}", self._unknown, methods=EVERY_VERB),
            ),
            error=gate.error,
        )

    def _endpoint(self, method: Method) -> Endpoint:
        async def endpoint(call: Incoming) -> Response:
            try:
                account = self._admit(call, method)
                account.world.settle()
                answer = spoiled(call.fault, method.answer(Ask(account, method.message, call.fields, call.fault)))
            except Refused as refused:
                return refused.response()
            return gate.answered(answer, headers={"Ratelimit-Remaining": str(self.gate.remaining(account))})

        return endpoint

    def _admit(self, call: Incoming, method: Method) -> Account:
        if call.suffers(Kind.REVOKED_KEY):
            raise Refused(403, gate.PERMISSION_DENIED, gate.REVOKED_KEY)
        account = self.gate.admit(call.request.headers)
        if method.path in account.closed_methods:
            raise Refused(403, gate.PERMISSION_DENIED, gate.NO_ROLE)
        if call.body.error is not None:
            raise invalid(f"proto: syntax error: {call.body.error}")
        return account

    async def _obsolete(self, call: Incoming) -> Response:
        return Refused(400, gate.OBSOLETE, "obsolete method cannot be used").response()

    async def _unknown(self, call: Incoming) -> Response:
        return Refused(404, gate.NOT_FOUND, "Resource not found").response()

    def _roles(self, ask: Ask) -> dict[str, Any]:
        return cabinet.roles(ask, [method.path for method in self.methods])


EVERY_VERB = ("GET", "POST", "PUT", "PATCH", "DELETE")
