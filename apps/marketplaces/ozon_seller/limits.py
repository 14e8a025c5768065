"""How often the OZON Seller API may be called with one Client-Id, as its documentation of October 2026 says.

Two limits are per product and kept by whoever changes prices or stocks, not here: 10 price updates an hour through
/v1/product/import/prices, and one update of the same stock per 30 s through /v2/products/stocks.
"""

from __future__ import annotations

from apps.marketplaces.ratelimit import DAY, MINUTE, SECOND, Limit, Limits

LIMITS = Limits(
    every_call=(Limit(50, SECOND),),
    by_path={
        "/v1/analytics/data": (Limit(1, MINUTE), Limit(50, DAY)),
        "/v1/analytics/turnover/stocks": (Limit(1, MINUTE),),
        "/v1/barcode/add": (Limit(20, MINUTE),),
        "/v1/product/placement-zone/info": (Limit(10, SECOND),),
        "/v1/report/discounted/create": (Limit(1, MINUTE),),
        "/v1/report/placement/by-products/create": (Limit(5, DAY),),
        "/v2/products/stocks": (Limit(80, MINUTE),),
    },
)
